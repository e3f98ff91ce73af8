//! Any figure that passes its checks is well-formed and stays on its sheet.

use chiasm_core::evidence::{Axis, BarSeries, Figure, Graph, Line, Plot, Points, Reference};
use chiasm_report::{Page, Section, figure_svg};
use proptest::prelude::*;
use roxmltree::{Document, Node};

use crate::sample;

/// Every number of an attribute that is a list of them.
fn numbers(text: &str) -> Vec<f64> {
    text.split(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-')))
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().unwrap())
        .collect()
}

/// The points that path data names absolutely.
fn points(data: &str) -> Vec<[f64; 2]> {
    data.split(['M', 'L'])
        .filter(|part| !part.is_empty())
        .map(|part| {
            let own = part.split(['a', 'z', 'H']).next().unwrap();
            let pair = numbers(own);
            [pair[0], pair[1]]
        })
        .collect()
}

/// Fails where a place lies off the sheet of the figure `svg`.
fn check_places(svg: Node<'_, '_>) {
    let sheet = numbers(svg.attribute("viewBox").unwrap());
    let (width, height) = (sheet[2], sheet[3]);
    let inside = |node: &Node<'_, '_>, [x, y]: [f64; 2]| {
        assert!(
            (-1.0..=width + 1.0).contains(&x) && (-1.0..=height + 1.0).contains(&y),
            "{x}, {y} lies off {width} x {height}: {node:?}"
        );
    };
    for node in svg.descendants().filter(Node::is_element) {
        if node.ancestors().any(|above| above.has_tag_name("defs")) {
            continue;
        }
        // A picture's bytes spell anything; all else spells numbers.
        for attribute in node
            .attributes()
            .filter(|attribute| attribute.name() != "href")
        {
            let value = attribute.value();
            assert!(!value.contains("NaN") && !value.contains("inf"), "{node:?}");
        }
        let at = |name: &str| {
            node.attribute(name)
                .map(|value| value.parse::<f64>().unwrap())
        };
        if let (Some(x), Some(y)) = (at("x"), at("y")) {
            inside(&node, [x, y]);
            if let (Some(wide), Some(high)) = (at("width"), at("height")) {
                assert!(wide >= 0.0 && high >= 0.0);
                inside(&node, [x + wide, y + high]);
            }
        }
        if let (Some(x1), Some(y1), Some(x2), Some(y2)) = (at("x1"), at("y1"), at("x2"), at("y2")) {
            inside(&node, [x1, y1]);
            inside(&node, [x2, y2]);
        }
        if let Some(data) = node.attribute("d") {
            for point in points(data) {
                inside(&node, point);
            }
        }
        if let Some(turn) = node.attribute("transform") {
            let place = numbers(turn);
            inside(&node, [place[0], place[1]]);
        }
    }
}

/// Checks the file, and the same figure in a page, where it is drawn in two sizes.
fn check(figure: &Figure) {
    let file = figure_svg(figure);
    let parsed = Document::parse(&file).unwrap();
    assert!(
        parsed
            .root_element()
            .has_tag_name(("http://www.w3.org/2000/svg", "svg"))
    );
    check_places(parsed.root_element());
    let page = Page::new("page")
        .section(Section::new("figures").figure(figure))
        .render();
    let page = Document::parse(page.strip_prefix("<!DOCTYPE html>").unwrap()).unwrap();
    let drawn: Vec<_> = page
        .descendants()
        .filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "svg")))
        .collect();
    assert_eq!(drawn.len(), 2);
    drawn.into_iter().for_each(check_places);
}

/// Ordinary numbers, and as far as numbers go.
fn any_number() -> impl Strategy<Value = f64> {
    use proptest::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    prop_oneof![
        4 => -1e3..1e3f64,
        1 => 0.0..1.0f64,
        1 => Just(0.0),
        2 => POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO,
        1 => prop::sample::select(vec![f64::MAX, f64::MIN, 5e-324, 1e15, 1e15 + 1.0]),
    ]
}

fn on_axis(logarithmic: bool) -> impl Strategy<Value = f64> {
    any_number().prop_map(move |value| match (logarithmic, value.abs()) {
        (false, _) => value,
        (true, 0.0) => 1.0,
        (true, positive) => positive,
    })
}

fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z ]{0,12}",
        ".{0,60}",
        Just("<script>alert('x')</script>&amp;\"]]>".to_string()),
        Just("a rather long name of a group of neurons in layer five".to_string()),
    ]
}

fn values(logarithmic: bool, length: usize) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(on_axis(logarithmic), length)
}

fn bounds(length: usize) -> impl Strategy<Value = Option<Vec<[f64; 2]>>> {
    prop::option::of(prop::collection::vec([any_number(), any_number()], length))
}

fn names(length: usize) -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(any_name(), length)
}

fn any_lines(x: bool, y: bool) -> impl Strategy<Value = Plot> {
    let line = (0..30usize).prop_flat_map(move |length| {
        (
            any_name(),
            values(x, length),
            values(y, length),
            bounds(length),
        )
            .prop_map(|(name, x, y, band)| Line { name, x, y, band })
    });
    prop::collection::vec(line, 0..12).prop_map(Plot::Lines)
}

fn any_bars(y: bool) -> impl Strategy<Value = Plot> {
    (0..40usize, 0..10usize).prop_flat_map(move |(groups, series)| {
        let one = (any_name(), values(y, groups), bounds(groups)).prop_map(
            |(name, values, intervals)| BarSeries {
                name,
                values,
                intervals,
            },
        );
        (names(groups), prop::collection::vec(one, series))
            .prop_map(|(groups, series)| Plot::Bars { groups, series })
    })
}

fn any_scatter(x: bool, y: bool) -> impl Strategy<Value = Plot> {
    let cloud = (0..40usize, any::<bool>()).prop_flat_map(move |(length, labelled)| {
        let labels = names(if labelled { length } else { 0 });
        (any_name(), values(x, length), values(y, length), labels)
            .prop_map(|(name, x, y, labels)| Points { name, x, y, labels })
    });
    prop::collection::vec(cloud, 0..5).prop_map(Plot::Scatter)
}

fn any_heatmap() -> impl Strategy<Value = Plot> {
    (0..20usize, 0..20usize, any::<bool>()).prop_flat_map(|(rows, columns, labelled)| {
        let values = prop::collection::vec(values(false, columns), rows);
        let labels = (
            names(if labelled { rows } else { 0 }),
            names(if labelled && rows > 0 { columns } else { 0 }),
        );
        (labels, values, any_name()).prop_map(|((rows, columns), values, colour)| Plot::Heatmap {
            rows,
            columns,
            values,
            colour,
        })
    })
}

fn any_graph() -> impl Strategy<Value = Plot> {
    (0..30usize).prop_flat_map(|nodes| {
        let edge = (0..nodes.max(1), 0..nodes.max(1), 0.0..=1.0f64);
        let edges = prop::collection::vec(edge, if nodes == 0 { 0..1 } else { 0..60 });
        (
            names(nodes),
            prop::collection::vec([any_number(), any_number()], nodes),
            prop::collection::vec(0..12usize, nodes),
            edges,
        )
            .prop_map(move |(nodes, places, groups, mut edges)| {
                edges.truncate(if nodes.is_empty() { 0 } else { edges.len() });
                Plot::Graph(Graph {
                    nodes,
                    places,
                    groups,
                    edges,
                })
            })
    })
}

fn any_figure() -> impl Strategy<Value = Figure> {
    (any::<bool>(), any::<bool>()).prop_flat_map(|(x, y)| {
        let plot = prop_oneof![
            any_lines(x, y),
            any_bars(y),
            any_scatter(x, y),
            any_heatmap(),
            any_graph(),
        ];
        let reference =
            (any_name(), any_number()).prop_map(|(name, value)| Reference { name, value });
        let references = prop::collection::vec(reference, 0..4);
        let words = (any_name(), any_name(), any_name(), any_name());
        (plot, references, words).prop_map(
            move |(plot, references, (title, caption, across, up))| {
                let axis = |label, logarithmic| Axis { label, logarithmic };
                let mut figure =
                    Figure::new("any", title, caption, axis(across, x), axis(up, y), plot);
                figure.references = references;
                figure
            },
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_finite_figure_is_well_formed_and_stays_on_its_sheet(figure in any_figure()) {
        prop_assert!(figure.check().is_ok());
        check(&figure);
    }
}

#[test]
fn the_sample_figures_stay_on_their_sheets() {
    sample::figures::all().iter().for_each(check);
}

#[test]
fn a_figure_that_cannot_be_drawn_says_so() {
    let mut broken = sample::figures::curves();
    if let Plot::Lines(lines) = &mut broken.plot {
        lines[0].y[0] = f64::NAN;
    }
    check(&broken);
    let svg = figure_svg(&broken);
    assert!(svg.contains("This figure cannot be drawn."), "{svg}");
    assert!(figure_svg(&sample::figures::nothing()).contains("There is nothing to draw"));
    // A reference that no logarithmic axis can hold is left to the table.
    let off = sample::figures::loss().with_reference("zero", 0.0);
    check(&off);
    assert!(!figure_svg(&off).contains(">zero<"));
}

/// Picks the data of the first path of a class.
fn path_of(svg: &str, class: &str) -> Vec<[f64; 2]> {
    let parsed = Document::parse(svg).unwrap();
    let node = parsed
        .descendants()
        .find(|node| node.attribute("class") == Some(class));
    points(node.unwrap().attribute("d").unwrap())
}

#[test]
fn a_line_goes_through_its_points_in_proportion() {
    let line = Line {
        name: String::new(),
        x: vec![0.0, 1.0, 4.0],
        y: vec![0.0, 10.0, 5.0],
        band: None,
    };
    let figure = Figure::new(
        "a",
        "t",
        "",
        Axis::linear(""),
        Axis::linear(""),
        Plot::Lines(vec![line]),
    );
    let [first, second, third] = path_of(&figure_svg(&figure), "s0 curve dash-0")[..] else {
        panic!("three points")
    };
    let across = (second[0] - first[0]) / (third[0] - first[0]);
    let down = (third[1] - first[1]) / (second[1] - first[1]);
    assert!(
        (across - 0.25).abs() < 1e-3 && (down - 0.5).abs() < 1e-3,
        "{across} {down}"
    );
    assert!(second[1] < first[1], "larger values are higher up");
}

#[test]
fn bars_start_at_zero_and_their_heights_are_in_proportion() {
    let bars = BarSeries {
        name: String::new(),
        values: vec![10.0, 20.0, -5.0],
        intervals: None,
    };
    let groups = ["a", "b", "c"].map(String::from).to_vec();
    let plot = Plot::Bars {
        groups,
        series: vec![bars],
    };
    let svg = figure_svg(&Figure::new(
        "a",
        "t",
        "",
        Axis::linear(""),
        Axis::linear(""),
        plot,
    ));
    let parsed = Document::parse(&svg).unwrap();
    let sides: Vec<[f64; 2]> = parsed
        .descendants()
        .filter(|node| node.attribute("class") == Some("s0 bar"))
        .map(|node| ["y", "height"].map(|name| node.attribute(name).unwrap().parse().unwrap()))
        .collect();
    let [[y0, h0], [y1, h1], [y2, h2]] = sides[..] else {
        panic!("three bars")
    };
    assert!((h1 / h0 - 2.0).abs() < 1e-3 && (h2 / h0 - 0.5).abs() < 1e-3);
    // Positive bars end where the negative one begins.
    assert!((y0 + h0 - y2).abs() < 0.02 && (y1 + h1 - y2).abs() < 0.02);
}

#[test]
fn small_figures_look_as_they_did() {
    let line = Line {
        name: "learned".into(),
        x: vec![1.0, 2.0, 4.0],
        y: vec![0.5, 0.75, 0.7],
        band: Some(vec![[0.4, 0.6], [0.7, 0.8], [0.6, 0.8]]),
    };
    let lines = Figure::new(
        "accuracy",
        "Accuracy & jitter",
        "Bands are 95% intervals.",
        Axis::logarithmic("jitter (ms)"),
        Axis::linear("accuracy"),
        Plot::Lines(vec![line]),
    )
    .with_reference("chance", 0.5);
    insta::assert_snapshot!("lines", without_style(&figure_svg(&lines)));
    let graph = Figure::new(
        "pair",
        "Two nodes",
        "",
        Axis::default(),
        Axis::default(),
        Plot::Graph(Graph {
            nodes: vec!["AVA".into(), "RIM".into()],
            places: vec![[0.0, 0.0], [1.0, 2.0]],
            groups: vec![0, 1],
            edges: vec![(0, 1, 0.9)],
        }),
    );
    insta::assert_snapshot!("graph", without_style(&figure_svg(&graph)));
}

/// The style is a file of its own in the repository.
fn without_style(svg: &str) -> String {
    let (before, rest) = svg.split_once("<style>").unwrap();
    let (_, after) = rest.split_once("</style>\n").unwrap();
    format!("{before}{after}")
}
