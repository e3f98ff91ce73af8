//! Closed curves and surfaces as point clouds: same topology, other geometry, and the reverse.

use chiasm_core::{Error, Result, Seed};
use ndarray::Array2;
use rand::RngExt;
use serde::{Deserialize, Serialize};
use std::f64::consts::{PI, TAU};

/// A shape in three dimensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// A circle.
    Circle,
    /// Two circles of a plane that touch in a point.
    FigureEight,
    /// The same with one circle folded out of the plane about their common tangent: the same topology,
    /// another geometry.
    TwistedFigureEight,
    /// The flat one with its circles pulled apart: nearly the same geometry, another topology.
    BrokenFigureEight,
    /// The surface of a ring.
    Torus,
    /// The surface of a ball.
    Sphere,
    /// Two separate circles in one plane.
    TwoRings,
    /// Two circles, each through the middle of the other.
    LockedRings,
    /// A rolled-up rectangle.
    SwissRoll,
}

/// How a shape is sampled.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShapeSettings {
    /// Points; point i of one curve corresponds to point i of another.
    pub points: usize,
    /// Standard deviation of the noise on each coordinate (circles have radius 1).
    pub noise: f64,
    /// How far the circles of the broken figure-eight are pulled apart, half each.
    pub gap: f64,
    /// The angle by which the twisted figure-eight is folded, radians.
    pub fold: f64,
}

impl Default for ShapeSettings {
    fn default() -> Self {
        ShapeSettings {
            points: 62,
            noise: 0.02,
            gap: 0.5,
            fold: 2.0,
        }
    }
}

impl ShapeSettings {
    /// Fails with fewer than three points and where an amount is negative.
    pub fn check(&self) -> Result<()> {
        if self.points < 3 {
            return Err(Error::setting("points", self.points, "at least 3"));
        }
        super::check_settings(
            &[],
            &[
                ("noise", self.noise),
                ("gap", self.gap),
                ("fold", self.fold),
            ],
        )
    }
}

/// Points of a shape (points x 3). The places along the shape are drawn from `seed` alone, one to each
/// equal stretch, so that shapes of one seed correspond; the noise differs from shape to shape.
pub fn shape_points(shape: Shape, settings: &ShapeSettings, seed: &Seed) -> Result<Array2<f64>> {
    settings.check()?;
    let mut places = seed.named("places").rng();
    let mut noise = seed.named("noise").named(&format!("{shape:?}")).rng();
    let mut points = Array2::zeros((settings.points, 3));
    for (index, mut point) in points.rows_mut().into_iter().enumerate() {
        let along = (index as f64 + places.random::<f64>()) / settings.points as f64;
        let across = places.random::<f64>();
        point.assign(&ndarray::arr1(&place(shape, along, across, settings)));
    }
    points.scaled_add(
        settings.noise,
        &super::normal_matrix(&mut noise, settings.points, 3),
    );
    Ok(points)
}

/// The place at `along` and, on surfaces, `across`, both 0..1.
fn place(shape: Shape, along: f64, across: f64, settings: &ShapeSettings) -> [f64; 3] {
    let second = along >= 0.5;
    let (sin, cos) = (2.0 * TAU * along).sin_cos();
    match shape {
        Shape::Circle => {
            let (sin, cos) = (TAU * along).sin_cos();
            [cos, sin, 0.0]
        }
        // Circles about (±1, 0), both starting from where they touch.
        Shape::FigureEight if second => [cos - 1.0, -sin, 0.0],
        Shape::FigureEight => [1.0 - cos, sin, 0.0],
        Shape::TwistedFigureEight if second => {
            let (sin_fold, cos_fold) = settings.fold.sin_cos();
            [(cos - 1.0) * cos_fold, -sin, (1.0 - cos) * sin_fold]
        }
        Shape::TwistedFigureEight => [1.0 - cos, sin, 0.0],
        Shape::BrokenFigureEight if second => [cos - 1.0 - settings.gap / 2.0, -sin, 0.0],
        Shape::BrokenFigureEight => [1.0 - cos + settings.gap / 2.0, sin, 0.0],
        Shape::Torus => {
            let (sin, cos) = (TAU * along).sin_cos();
            let (sin_tube, cos_tube) = (TAU * across).sin_cos();
            let radius = 1.0 + 0.4 * cos_tube;
            [radius * cos, radius * sin, 0.4 * sin_tube]
        }
        Shape::Sphere => {
            let height = 1.0 - 2.0 * across;
            let radius = (1.0 - height * height).sqrt();
            let (sin, cos) = (TAU * along).sin_cos();
            [radius * cos, radius * sin, height]
        }
        Shape::TwoRings if second => [cos + 2.5, sin, 0.0],
        Shape::TwoRings => [cos, sin, 0.0],
        Shape::LockedRings if second => [cos + 1.0, 0.0, sin],
        Shape::LockedRings => [cos, sin, 0.0],
        Shape::SwissRoll => {
            let angle = 1.5 * PI * (1.0 + 2.0 * along);
            let (sin, cos) = angle.sin_cos();
            [
                angle * cos / (4.5 * PI),
                2.0 * across - 1.0,
                angle * sin / (4.5 * PI),
            ]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distance(points: &Array2<f64>, i: usize, j: usize) -> f64 {
        let difference = &points.row(i) - &points.row(j);
        difference.dot(&difference).sqrt()
    }

    #[test]
    fn twist_and_break_change_what_they_should() {
        let settings = ShapeSettings {
            noise: 0.0,
            ..Default::default()
        };
        let at = |shape| shape_points(shape, &settings, &Seed::new(1)).unwrap();
        let [flat, twisted, broken] = [
            Shape::FigureEight,
            Shape::TwistedFigureEight,
            Shape::BrokenFigureEight,
        ]
        .map(at);
        // Within a circle nothing changes; across, the fold brings far ends nearer and the gap parts near ones.
        for (i, j) in [(0, 20), (35, 60)] {
            assert!((distance(&flat, i, j) - distance(&twisted, i, j)).abs() < 1e-12);
            assert!((distance(&flat, i, j) - distance(&broken, i, j)).abs() < 1e-12);
        }
        assert!(distance(&twisted, 15, 46) < 0.6 * distance(&flat, 15, 46));
        assert!(distance(&flat, 0, 61) < 0.5 && distance(&broken, 0, 61) >= 0.5);
    }

    #[test]
    fn every_shape_lies_where_it_should() {
        let settings = ShapeSettings {
            noise: 0.0,
            points: 40,
            ..Default::default()
        };
        let on_circle = |x: f64, y: f64| (x.hypot(y) - 1.0).abs() < 1e-12;
        let check = |shape, holds: &dyn Fn(f64, f64, f64) -> bool| {
            let points = shape_points(shape, &settings, &Seed::new(2)).unwrap();
            assert!(
                points.rows().into_iter().all(|p| holds(p[0], p[1], p[2])),
                "{shape:?}"
            );
        };
        check(Shape::Circle, &|x, y, z| on_circle(x, y) && z == 0.0);
        check(Shape::FigureEight, &|x, y, z| {
            (on_circle(x - 1.0, y) || on_circle(x + 1.0, y)) && z == 0.0
        });
        check(Shape::Sphere, &|x, y, z| {
            (x * x + y * y + z * z - 1.0).abs() < 1e-12
        });
        check(Shape::Torus, &|x, y, z| {
            ((x.hypot(y) - 1.0).hypot(z) - 0.4).abs() < 1e-12
        });
        check(Shape::TwoRings, &|x, y, z| {
            (on_circle(x, y) || on_circle(x - 2.5, y)) && z == 0.0
        });
        check(Shape::LockedRings, &|x, y, z| {
            (on_circle(x, y) && z == 0.0) || (on_circle(x - 1.0, z) && y == 0.0)
        });
        check(Shape::SwissRoll, &|x, y, z| {
            (0.3..=1.0001).contains(&x.hypot(z)) && y.abs() <= 1.0
        });
        assert!(
            shape_points(
                Shape::Circle,
                &ShapeSettings {
                    points: 2,
                    ..settings
                },
                &Seed::new(0)
            )
            .is_err()
        );
    }
}
