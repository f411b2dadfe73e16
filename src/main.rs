//! temp
use replab::run::*;
#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().collect();
    if args[1] == "guard" { eprintln!("{:?}", replab::topology::local::stand(std::path::Path::new(&args[2]))); return; }
    if args[1] == "bench" {
        use replab::topology::*;
        let mut ups = vec![];
        for i in 0..5 { let t=std::time::Instant::now(); let c = local::Cluster::up(&local::Config{name:format!("b{i}"),..Default::default()}).await.unwrap(); ups.push(t.elapsed()); c.down().await.unwrap(); }
        println!("up {ups:?}");
        let b = local::Binaries::discover(None).await.unwrap();
        let c = local::Cluster::up(&local::Config{name:"bench".into(),..Default::default()}).await.unwrap();
        let pgb = local::Pgbench::new(&b, c.passfile());
        let t = Topology::Local(c);
        let d = std::path::Path::new("/tmp/benchdir"); let _ = std::fs::remove_dir_all(d); std::fs::create_dir_all(d).unwrap();
        for race in bench::Race::ALL { for n in 0..4 {
            let rules = bench::Rules{site:&t.sites()[0],clients:10,lap:std::time::Duration::from_secs(args[2].parse().unwrap()),directory:d,pgbench:&pgb};
            let p = bench::pair(rules, race, n).await.unwrap();
            println!("{:28} pgbench {:.0} tps {} cpu | replab {:.0} tps {} cpu | ratio {:.3}", race.name(), p.pgbench.tps, p.pgbench.cpu, p.replab.tps, p.replab.cpu, p.replab.tps/p.pgbench.tps);
        }}
        t.down().await.unwrap();
        return;
    }
    let flags = replab::config::Overrides { duration: Some(args[1].clone()), schedule: args.get(2).cloned(), synchronous_commit: args.get(3).cloned(), ..Default::default() };
    let plan = replab::config::load(&flags, None, []).unwrap().plan;
    let (dir, manifest) = begin(&plan).unwrap();
    let (progress, mut rx) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move { let mut n=0; while let Some(p) = rx.recv().await { match p { Progress::Load{..} => { n+=1; if n%20==0 {eprintln!("{p:?}")} }, _ => eprintln!("{p:?}") } } });
    let (_k, interrupt) = tokio::sync::watch::channel(false);
    let ended = execute(&plan, None, &dir, manifest, Watcher { progress, interrupt }).await;
    eprintln!("{ended:?}");
    let t = std::time::Instant::now();
    let report = judge(&dir, &[]).unwrap();
    eprintln!("judged in {:?}", t.elapsed());
    publish(&dir, &report).unwrap();
    println!("{}", replab::report::terminal(&report, replab::report::Look { color: false, width: 100 }));
}
