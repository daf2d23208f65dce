//! Says everything back that it hears, over the links of hosts, for the Autobahn test suite: see `npm run autobahn`.
//!
//! - `autobahn serve` listens at a free port and prints its url, until its input ends.
//! - `autobahn dial URL AGENT` lets the suite's server at that url run all of its cases.

use std::error::Error;
use std::io::{self, Read};
use std::net::{Ipv4Addr, SocketAddr};

use bytestring::ByteString;
use distribus_net::bare::{self, Bare, Said};
use parking_lot::Mutex;

fn echo(link: &Bare, said: Said) {
    link.say(&said);
}

fn serve() -> Result<(), Box<dyn Error>> {
    let at = bare::listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), echo)?;
    println!("ws://{at}");
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn dial(url: &str, agent: &str) -> Result<(), Box<dyn Error>> {
    let answer = Mutex::new(ByteString::new());
    bare::dial(&format!("{url}/getCaseCount"), |_, said| {
        if let Said::Text(text) = said {
            *answer.lock() = text;
        }
    })?;
    let count: u32 = answer.lock().parse()?;
    for case in 1..=count {
        bare::dial(&format!("{url}/runCase?case={case}&agent={agent}"), echo)?;
    }
    bare::dial(&format!("{url}/updateReports?agent={agent}"), |_, _| {})?;
    println!("{count} cases");
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve"] => serve(),
        ["dial", url, agent] => dial(url, agent),
        _ => Err("usage: autobahn serve | autobahn dial URL AGENT".into()),
    }
}
