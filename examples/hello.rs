//! The smallest program: one task that gives a value.

#[gristmill::main]
async fn main() -> Result<(), gristmill::task::JoinError> {
    let task = gristmill::spawn(async { "hello from a task" });
    println!("{}", task.await?);
    Ok(())
}
