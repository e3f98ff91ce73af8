//! The structure of pages, and what must stand in them.

use std::collections::BTreeSet;

use chiasm_core::evidence::{ClaimResult, Verdict};
use chiasm_report::{Page, Section, StudyEntry, combined_report, comparison_report, study_report};
use roxmltree::{Document, Node};

use crate::sample;

fn parse(page: &str) -> Document<'_> {
    Document::parse(page.strip_prefix("<!DOCTYPE html>").unwrap()).unwrap()
}

fn text_of(node: Node<'_, '_>) -> String {
    node.descendants()
        .filter(Node::is_text)
        .filter_map(|inner| inner.text())
        .collect()
}

fn study_page() -> String {
    study_report(
        &sample::results(),
        &sample::figures::all(),
        &sample::tables(),
        sample::CONFIG,
    )
}

fn combined_page() -> String {
    let (first, second) = (sample::results(), sample::other_results());
    combined_report(
        &[(&first, "spiking"), (&second, "brain")].map(|(results, family)| StudyEntry {
            results,
            family,
            report: format!("{}/report.html", results.study),
        }),
    )
}

/// One title, one main part, no skipped heading, no id twice, every table told and every picture
/// named, nothing from elsewhere.
fn check_structure(page: &str) {
    let page = parse(page);
    let elements = || page.descendants().filter(Node::is_element);
    let count = |tag: &str| {
        elements()
            .filter(|node| node.tag_name().name() == tag)
            .count()
    };
    assert_eq!((count("h1"), count("main"), count("script")), (1, 1, 0));
    let mut last = 0;
    for node in elements() {
        let tag = node.tag_name().name();
        if let Some(level) = tag
            .strip_prefix('h')
            .and_then(|rest| rest.parse::<u32>().ok())
        {
            assert!(level <= last + 1, "{} skips a level", text_of(node));
            assert!(!text_of(node).trim().is_empty());
            last = level;
        }
    }
    let ids: Vec<&str> = elements().filter_map(|node| node.attribute("id")).collect();
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len());
    for node in elements() {
        for name in ["aria-labelledby", "aria-describedby"] {
            if let Some(id) = node.attribute(name) {
                assert!(unique.contains(id), "{id} is not there");
            }
        }
        for name in ["href", "src", "xlink:href"] {
            if let Some(address) = node.attribute(name) {
                let own = address.starts_with("data:")
                    || address
                        .strip_prefix('#')
                        .is_some_and(|id| unique.contains(id))
                    || address.ends_with("report.html") && !address.contains(':');
                assert!(own, "{address} is from elsewhere");
            }
        }
        match node.tag_name().name() {
            "table" => {
                assert!(node.children().any(|child| child.has_tag_name("caption")));
                let heads = node.descendants().filter(|cell| cell.has_tag_name("th"));
                assert!(heads.clone().count() > 0);
                for head in heads {
                    assert!(matches!(head.attribute("scope"), Some("col" | "row")));
                }
            }
            "svg" if node.attribute("role") == Some("img") => {
                assert!(node.attribute("aria-labelledby").is_some());
                let named = node
                    .children()
                    .find(|child| child.tag_name().name() == "title");
                assert!(!text_of(named.unwrap()).is_empty());
            }
            "svg" => assert_eq!(node.attribute("aria-hidden"), Some("true")),
            _ => {}
        }
    }
}

#[test]
fn every_page_is_built_for_every_reader() {
    for page in [
        study_page(),
        combined_page(),
        comparison_report(&sample::comparison()),
    ] {
        check_structure(&page);
    }
}

#[test]
fn the_same_evidence_gives_the_same_bytes() {
    assert_eq!(study_page(), study_page());
    assert_eq!(combined_page(), combined_page());
}

fn cards(page: &str) -> Vec<(String, String)> {
    parse(page)
        .descendants()
        .filter(|node| node.has_tag_name("article"))
        .map(|node| (node.attribute("class").unwrap().to_string(), text_of(node)))
        .collect()
}

#[test]
fn claims_come_first_and_each_says_its_verdict_and_evidence() {
    let page = study_page();
    let cards = cards(&page);
    let classes: Vec<&str> = cards.iter().map(|(class, _)| class.as_str()).collect();
    assert_eq!(
        classes,
        [
            "claim held",
            "claim not-held",
            "claim inconclusive",
            "claim held",
            "claim not-tested"
        ]
    );
    let first = &cards[0].1;
    for part in [
        "held",
        "Networks that learn their delays",
        "above 1.",
        "95.1% with learned delays against 91.3%",
        "4.18",
        "[3.56, 4.80]",
        "whose delays are drawn once",
        "labels shuffled",
    ] {
        assert!(first.contains(part), "{part} is missing in {first}");
    }
    assert!(cards[4].1.contains("The recordings are not public."));
    assert!(
        cards[4]
            .1
            .contains("The advantage holds on recordings of people.")
    );
    let place = |text: &str| page.find(text).unwrap();
    assert!(place(">Claims</h2>") < place(">Figures</h2>"));
    assert!(place(">Figures</h2>") < place(">Settings</h2>"));
    for part in ["2 held", "1 not held", "1 inconclusive", "1 not tested"] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn a_null_control_that_clears_the_margin_is_called_out() {
    let clears: Vec<bool> = cards(&study_page())
        .iter()
        .map(|(_, text)| text.contains("The null control clears the margin too"))
        .collect();
    assert_eq!(clears, [false, false, false, true, false]);
    assert!(study_page().contains("1 null control clears the margin"));
}

#[test]
fn the_verdict_follows_from_the_interval_whatever_the_file_says() {
    let mut claim: ClaimResult = sample::claims().swap_remove(1);
    claim.verdict = Verdict::Held;
    let page = Page::new("p")
        .section(Section::new("s").claims(&[claim], &[], &[]))
        .render();
    let cards = cards(&page);
    assert_eq!(cards[0].0, "claim not-held");
    assert!(
        cards[0]
            .1
            .contains("The results say “held”, but the interval gives “not held”.")
    );
}

#[test]
fn a_single_seed_decides_nothing_and_says_why() {
    let other = sample::other_results();
    let page = study_report(&other, &[], &[], "");
    let cards = cards(&page);
    assert!(cards.iter().all(|(class, _)| class == "claim inconclusive"));
    assert!(cards[0].1.contains("A single seed gives no interval"));
}

#[test]
fn the_combined_page_links_to_each_study() {
    let page = combined_page();
    let parsed = parse(&page);
    for address in ["learned-delays/report.html", "trsa/report.html"] {
        let links = parsed
            .descendants()
            .filter(|node| node.attribute("href") == Some(address));
        assert_eq!(links.count(), 2);
    }
    assert!(page.contains("2 studies with 7 claims"));
}

#[test]
fn hostile_names_stay_text_everywhere() {
    let hostile = "\"><img src=x onerror=alert(1)><script>alert('1')</script>";
    let mut results = sample::results();
    results.title = hostile.into();
    results.study = hostile.into();
    results.notes = vec![hostile.into()];
    results.data[0].name = hostile.into();
    results.claims[0].statement = hostile.into();
    results.claims[0].id = hostile.into();
    let mut figures = sample::figures::all();
    for figure in &mut figures {
        figure.title = hostile.into();
        figure.x.label = hostile.into();
    }
    let mut tables = sample::tables();
    tables[0].rows[0][0] = hostile.into();
    let page = study_report(&results, &figures, &tables, hostile);
    check_structure(&page);
    assert!(!page.contains("<img") && !page.contains("<script"));
    let entry = StudyEntry {
        results: &results,
        family: hostile,
        report: "javascript:alert(1)/report.html".into(),
    };
    let combined = combined_report(&[entry]);
    check_structure(&combined);
    assert!(!combined.contains("javascript:"));
}

#[test]
fn a_small_page_looks_as_it_did() {
    let page = Page::new("Comparing <two> decoders")
        .kicker("Chiasm")
        .intro("One recording.")
        .section(
            Section::new("Result")
                .text("A paragraph.")
                .note("First note.")
                .note("Second note.")
                .facts([("Scale", "quick"), ("Seeds", "0, 1")])
                .claims(&sample::claims()[..1], &[], &[0, 1, 2, 3, 4])
                .table(&sample::tables()[0])
                .source("config.toml", "a = 1\n"),
        )
        .footer("Made by Chiasm.")
        .render();
    let (before, rest) = page.split_once("<style>").unwrap();
    let (_, after) = rest.split_once("</style>\n").unwrap();
    insta::assert_snapshot!("page", format!("{before}{after}"));
}
