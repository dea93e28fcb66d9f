//! stub
mod removals;
