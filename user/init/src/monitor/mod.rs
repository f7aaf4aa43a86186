//! The monitor: commands typed at the first serial port, answered with what the kernel tells about the
//! programs, which are running.

mod input;
mod show;

use alloc::vec::Vec;

use freehold_rt::{CapName, Error, print, println};

use crate::failure::Failure;
use crate::scenarios::story;
use crate::services::Services;
use crate::tour::cast::Cast;
use input::Input;
use show::Known;

/// Name of the first program itself.
const SELF: &str = "init";

const HELP: &str = "\
help            this
spaces          every space: Tables, live mappings and their bound
tables [SPACE]  the Tables of a space, or of all
caps [SPACE]    the capabilities of a space, by default init's
frames          frames by type; what the kernel uses
scenario [NAME] carries out one scenario of message transfer and tells the story; without a name, lists them
quit            end the machine";

/// Starts the programs anew and serves commands until `quit`; then they end.
///
/// # Errors
/// [`Failure`]: a program cannot be started, the serial port's interrupt cannot be had, or the kernel
/// refused a question.
pub fn run(services: &Services) -> Result<(), Failure> {
    let cast = Cast::start(services)?;
    let spaces: Vec<Known<'_>> = core::iter::once(Known { name: SELF, space: CapName::NONE })
        .chain(cast.spaces().map(|(name, space)| Known { name, space }))
        .collect();
    let input = Input::open()?;
    println!("The programs run. Commands: help, spaces, tables, caps, frames, scenario, quit.");
    loop {
        print!("freehold> ");
        let Some(line) = input.line()? else { return Ok(()) };
        let mut words = line.split_ascii_whitespace();
        let Some(command) = words.next() else { continue };
        if command == "quit" {
            return Ok(());
        }
        match (command, words.next()) {
            ("scenario", None) => story::list(),
            ("scenario", Some(name)) => {
                if let Err(failure) = story::tell(services, name) {
                    println!("{name} could not be carried out: {failure:?}");
                }
            }
            (command, argument) => obey(command, argument, &spaces)?,
        }
    }
}

fn obey(command: &str, argument: Option<&str>, spaces: &[Known<'_>]) -> Result<(), Error> {
    let of = |fallback: &str| {
        let name = argument.unwrap_or(fallback);
        let found = spaces.iter().copied().find(|known| known.name == name);
        if found.is_none() {
            let names: Vec<&str> = spaces.iter().map(|known| known.name).collect();
            println!("no space is called {name}; there are {}", names.join(", "));
        }
        found
    };
    match command {
        "help" => println!("{HELP}"),
        "spaces" => show::spaces(spaces)?,
        "tables" if argument.is_none() => spaces.iter().try_for_each(|known| show::tables(*known))?,
        "tables" => of(SELF).map_or(Ok(()), show::tables)?,
        "caps" => of(SELF).map_or(Ok(()), show::caps)?,
        "frames" => show::frames()?,
        _ => println!("{command} is no command; help lists them"),
    }
    Ok(())
}
