//! Histories of sessions, and formats.

use super::*;

fn sessions(text: &str, format: Format) -> String {
    let import = import(text);
    assert_eq!((import.format, import.orders), (format, Orders::Sessions), "{text}");
    shown(&transactions_of(import))
}

#[test]
fn lines_of_plume() {
    for (text, expected) in [
        ("w(1,5,0,0)\nr(1,5,1,1)\n", "0@primary 0-2 ok: 1=5; 1@primary 1-3 ok: 1>5"),
        ("\n\nr(1,0,0,0)\r\nr(2,0,0,0)\nw(2,0,3,9)", "0@primary 0-2 ok: 1> 2>0; 3@primary 1-3 ok: 2=0"),
        // Transactions are mixed; -1 was aborted.
        ("w(1,1,0,0)\nw(1,2,1,1)\nw(2,3,0,0)\n", "0@primary 0-2 ok: 1=1 2=3; 1@primary 1-3 ok: 1=2"),
        ("w(1,1,0,-1)\nr(1,7,0,-1)\nr(1,1,0,4)", "0@primary 0-2 fail: 1=1; 0@primary 1-3 ok: 1>1"),
        // Numbers of each session's own.
        ("w(1,1,0,0)\nw(1,2,1,0)\n", "0@primary 0-2 ok: 1=1; 1@primary 1-3 ok: 1=2"),
        ("w(9223372036854775807,-1,0,0)", "0@primary 0-1 ok: 9223372036854775807=-1"),
    ] {
        assert_eq!(sessions(text, Format::Plume), expected, "{text}");
    }
}

#[test]
fn sessions_of_dbcop() {
    let v2019 = r#"{"params":{"id":0,"n_node":2},"info":"x","start":"2019","data":[
        [{"events":[{"write":true,"variable":1,"value":5,"success":true}],"success":true},
         {"events":[{"write":false,"variable":2,"value":0,"success":true}],"success":false}],
        [{"events":[{"write":false,"variable":1,"value":5,"success":true},
                    {"write":false,"variable":1,"value":0,"success":false},
                    {"write":true,"variable":1,"value":6,"success":false}],"success":true}]]}"#;
    assert_eq!(
        sessions(v2019, Format::Dbcop),
        "0@primary 0-4 ok: 1=5; 0@primary 1-5 fail: 2?; 1@primary 2-6 ok: 1>5 1?; 1@primary 3-7 fail: 1=6"
    );
    let later = r#"[[{"events":[{"Write":{"variable":0,"version":1}},["r","y",null]],"committed":true}],
        [],[{"events":[{"Read":{"variable":0,"version":null}},["w",0,2],["r",0,0]],"committed":false}]]"#;
    assert_eq!(sessions(later, Format::Dbcop), "0@primary 0-2 ok: 0=1 y>; 2@primary 1-3 fail: 0? 0=2 0?");
    let wrapped = format!("{{\"data\":{later},\"info\":\"\"}}\n");
    assert_eq!(sessions(&wrapped, Format::Dbcop), sessions(later, Format::Dbcop));
    assert_eq!(sessions("{\"data\":[]}", Format::Dbcop), "");
}

#[test]
fn sessions_are_no_history_of_jepsens() {
    let txns = txns("w(1,1,0,0)\nw(1,2,0,1)\n");
    let error = edn(&txns, &mut Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "process 0 runs more than one transaction at a time");
}

#[test]
fn formats_are_read_as_people_write_them() {
    for format in Format::ALL {
        assert_eq!(format.name().to_uppercase().parse(), Ok(format));
    }
    assert_eq!(
        "plum".parse::<Format>().unwrap_err().to_string(),
        "`plum` is not a format of histories (did you mean `plume`?): edn, json, dbcop, plume, replab"
    );
}

#[test]
fn a_format_can_be_forced() {
    let read = |text: &str, format| read_from("file", text.as_bytes(), Some(format));
    assert_eq!(shown(&transactions_of(read("", Format::Edn).unwrap())), "");
    assert_eq!(shown(&transactions_of(read(" \n", Format::Plume).unwrap())), "");
    assert_eq!(
        read("{:type :ok}", Format::Json).unwrap_err().to_string(),
        "file, line 1, column 2: `:` where a key in quotes is expected (read as json)"
    );
    assert_eq!(
        read("[]", Format::Plume).unwrap_err().to_string(),
        "file, line 1, column 1: a line is w(key,value,session,transaction) or r(key,value,session,transaction), of \
         integers (read as plume)"
    );
}

#[test]
fn files_that_do_not_exist_say_so() {
    let error = read(Path::new("no/such/history.edn"), None).unwrap_err();
    assert_eq!(error.to_string(), "read no/such/history.edn");
}
