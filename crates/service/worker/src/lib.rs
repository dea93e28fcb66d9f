//! The worker: the course's second service. `GET /work` takes its time and answers `{"status":"done"}`.
//!
//! It knows nothing of resilience: no policy, no database, no retry. It must not import `holdfast-policy`.

mod application;
mod capacity;
mod routes;
mod settings;

pub use application::Application;
pub use settings::Settings;
