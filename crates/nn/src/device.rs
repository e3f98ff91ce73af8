//! Where networks run.

use burn::tensor::Device;
use chiasm_core::Error as CoreError;
use chiasm_core::run::Device as Choice;

use crate::error::{Error, Result};

/// The device of a run's configuration, with gradients recorded (`without_autodiff` gives the
/// plain one).
///
/// The processor is always there; `cuda` and `wgpu` need the Cargo feature of that name.
pub fn open_device(choice: Choice) -> Result<Device> {
    let device = match choice {
        Choice::Cpu => Device::flex(),
        #[cfg(feature = "cuda")]
        Choice::Cuda => Device::cuda(0),
        #[cfg(feature = "wgpu")]
        Choice::Wgpu => Device::wgpu(burn::tensor::DeviceKind::DefaultDevice),
        #[allow(unreachable_patterns)]
        absent => {
            let reason =
                format!("this binary was built without it; build with `--features {absent}`");
            return Err(Error::Device {
                name: absent.to_string(),
                reason,
            });
        }
    };
    Ok(device.autodiff())
}

/// Runs `work` on `threads` threads (0 for all cores).
pub fn with_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> Result<R> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| {
            CoreError::setting("threads", threads, format!("fewer threads ({error})"))
        })?;
    Ok(pool.install(work))
}

#[cfg(all(test, not(feature = "cuda")))]
mod tests {
    use super::*;

    #[test]
    fn an_absent_device_is_an_error_that_says_so() {
        let error = open_device(Choice::Cuda).unwrap_err().to_string();
        assert!(
            error.contains("cuda") && error.contains("--features cuda"),
            "{error}"
        );
        assert!(open_device(Choice::Cpu).unwrap().is_autodiff());
    }

    #[test]
    fn threads_are_what_was_asked_for() {
        assert_eq!(with_threads(3, rayon::current_num_threads).unwrap(), 3);
    }
}
