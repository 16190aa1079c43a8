//! Tests of the program from outside: the real binary, real sockets, and a Rocket.Chat that refuses
//! what the real one refuses. The modules stand in suggested reading order.

mod world;

mod deliveries;
mod exactly_once;
mod failures;
mod rejections;

mod command_line;
mod configuration;
mod lifecycle;
// mod slow_clients;

// mod hostile;
// mod markup;
// mod shared_data;

// mod readme;
// mod tidy;
