//! The two number types regression works in.

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// `f32` or `f64`. Large products are taken in this type; means, products of features, decompositions and
/// scores in double precision whatever the type.
pub trait Real:
    sealed::Sealed + faer::traits::RealField + ndarray::NdFloat + std::iter::Sum + Default
{
    /// Rounds a double-precision number.
    fn from_double(value: f64) -> Self;
    /// Widens to double precision, exactly.
    fn to_double(self) -> f64;
    /// Relative error below which two weights count as the same, a tenth of the type's rounding error.
    const NEGLIGIBLE: f64;
}

impl Real for f32 {
    fn from_double(value: f64) -> Self {
        value as f32
    }
    fn to_double(self) -> f64 {
        f64::from(self)
    }
    const NEGLIGIBLE: f64 = 5e-9;
}

impl Real for f64 {
    fn from_double(value: f64) -> Self {
        value
    }
    fn to_double(self) -> f64 {
        self
    }
    const NEGLIGIBLE: f64 = 1e-15;
}
