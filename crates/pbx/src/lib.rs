//! MikoPBX REST API v3: session, employees, numbers, photos, pacing
