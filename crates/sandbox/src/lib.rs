//! A company in a box: an LDAP directory and a MikoPBX in process, with faults on demand

pub mod company;
pub mod directory;
pub mod dns;
pub mod faults;
pub mod pbx;
