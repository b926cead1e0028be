//! The cycle: read → plan → guard → apply → agree. Preview, command line and
//! scheduler all come through here; a preview stops before apply.

pub mod report;
