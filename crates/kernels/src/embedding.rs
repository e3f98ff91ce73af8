//! Rows of a table by number.

use rayon::prelude::*;

/// `output[i] = table[ids[i]]`: `table` (entries x width), `output` (ids x width).
pub fn forward(width: usize, table: &[f32], ids: &[usize], output: &mut [f32]) {
    assert_eq!(output.len(), ids.len() * width);
    if width > 0 {
        let rows = output.par_chunks_mut(width).zip(ids).with_min_len(256);
        rows.for_each(|(row, &id)| row.copy_from_slice(&table[id * width..(id + 1) * width]));
    }
}

/// The gradient at the table: for each entry the sum of the gradients where it was used, in order.
pub fn backward(width: usize, ids: &[usize], gradient: &[f32], table_gradient: &mut [f32]) {
    assert_eq!(gradient.len(), ids.len() * width);
    if width == 0 {
        return;
    }
    // Where each entry was used, by counting.
    let mut ends = vec![0; table_gradient.len() / width + 1];
    ids.iter().for_each(|&id| ends[id + 1] += 1);
    (1..ends.len()).for_each(|entry| ends[entry] += ends[entry - 1]);
    let starts = ends.clone();
    let mut uses = vec![0; ids.len()];
    for (place, &id) in ids.iter().enumerate() {
        uses[ends[id]] = place;
        ends[id] += 1;
    }
    table_gradient
        .par_chunks_mut(width)
        .enumerate()
        .with_min_len(64)
        .for_each(|(entry, row)| {
            row.fill(0.0);
            for &place in &uses[starts[entry]..starts[entry + 1]] {
                let here = &gradient[place * width..(place + 1) * width];
                row.iter_mut()
                    .zip(here)
                    .for_each(|(total, value)| *total += value);
            }
        });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_picked_and_their_gradients_added_up() {
        let table = [0.0, 1.0, 10.0, 11.0, 20.0, 21.0];
        let ids = [2, 0, 2];
        let mut output = [0.0; 6];
        forward(2, &table, &ids, &mut output);
        assert_eq!(output, [20.0, 21.0, 0.0, 1.0, 20.0, 21.0]);
        let mut gradient = [9.0; 6];
        backward(2, &ids, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &mut gradient);
        assert_eq!(gradient, [3.0, 4.0, 0.0, 0.0, 6.0, 8.0]);
    }
}
