//! LDAP and Active Directory: read, look up, write
