use chiasm_core::Seed;
use chiasm_memory::Sdr;
use chiasm_memory::segment_index::SegmentIndex;
use chiasm_memory::segments::DendriticSegments;
use rand::RngExt;

/// Segments of varying length, one of them empty.
fn planted(cells: usize, count: usize, rng: &mut impl rand::Rng) -> DendriticSegments {
    let mut segments = DendriticSegments::new(cells).unwrap();
    for number in 0..count {
        let length = if number == 7 {
            0
        } else {
            rng.random_range(1..=cells.min(40))
        };
        let synapses = Sdr::random(cells, length, rng).unwrap();
        assert_eq!(segments.push(synapses.active()).unwrap(), number);
    }
    segments
}

#[test]
fn both_ways_of_matching_agree_with_the_definition() {
    let mut rng = Seed::new(1).rng();
    // More than one block of the index, a block cut short, and populations around a word.
    for (cells, count) in [
        (64, 3000),
        (65, 9),
        (2048, 20_001),
        (60_000, 17_000),
        (1, 10),
        (500, 0),
    ] {
        let segments = planted(cells, count, &mut rng);
        let index = SegmentIndex::new(&segments).unwrap();
        assert_eq!((segments.len(), index.len()), (count, count));
        assert_eq!(
            (segments.is_empty(), index.is_empty()),
            (count == 0, count == 0)
        );
        for active in [0, cells / 50, cells / 2, cells] {
            let code = Sdr::random(cells, active, &mut rng).unwrap();
            let exact: Vec<u16> = (0..count)
                .map(|segment| {
                    let row = Sdr::new(cells, segments.synapses(segment).to_vec()).unwrap();
                    row.overlap(&code).unwrap() as u16
                })
                .collect();
            assert_eq!(segments.overlaps(&code).unwrap(), exact);
            assert_eq!(index.overlaps(&code).unwrap(), exact);
            for threshold in [0, 1, 3, 40] {
                let reach: Vec<u32> = (0..count as u32)
                    .filter(|&s| exact[s as usize] >= threshold)
                    .collect();
                assert_eq!(index.matching(&code, threshold).unwrap(), reach);
            }
        }
    }
}

#[test]
fn bad_segments_are_refused_and_leave_no_trace() {
    let mut segments = DendriticSegments::new(100).unwrap();
    segments.push(&[5, 3]).unwrap();
    let before = segments.clone();
    assert!(
        segments
            .push(&[1, 100])
            .unwrap_err()
            .to_string()
            .contains("below 100")
    );
    assert!(
        segments
            .push(&[1, 2, 1])
            .unwrap_err()
            .to_string()
            .contains("at most once")
    );
    assert_eq!(segments, before);
    assert_eq!(segments.synapses(0), [3, 5]);
    assert_eq!(segments.synapse_count(), 2);
    let other = Sdr::empty(99).unwrap();
    assert!(segments.overlaps(&other).is_err());
    let index = SegmentIndex::new(&segments).unwrap();
    assert!(index.overlaps(&other).is_err() && index.matching(&other, 1).is_err());
    let many: Vec<u32> = (0..65_536).collect();
    assert!(DendriticSegments::new(70_000).unwrap().push(&many).is_err());
}
