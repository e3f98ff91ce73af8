//! Weight files.

use burn::module::Module;
use chiasm_core::Seed;
use chiasm_nn::weights::{load, save, weights};

use crate::training::Mlp;

#[test]
fn weights_survive_a_file_under_dotted_names() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("weights.safetensors");
    let model = Mlp::new(Seed::new(1));
    save(&model, &file).unwrap();
    let names: Vec<String> = weights(&model).into_keys().collect();
    assert_eq!(
        names,
        [
            "layers.0.bias",
            "layers.0.weight",
            "layers.1.bias",
            "layers.1.weight"
        ]
    );
    let other = Mlp::new(Seed::new(2));
    assert_ne!(weights(&other), weights(&model));
    let other = load(other, &file).unwrap();
    assert_eq!(weights(&other), weights(&model));
    assert_eq!(other.num_params(), 12 * 32 + 32 + 32 * 4 + 4);
    // What was loaded is trainable.
    assert!(
        other
            .layers
            .iter()
            .all(|layer| layer.weight.is_require_grad())
    );
}

#[test]
fn files_that_do_not_fit_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("weights.safetensors");
    std::fs::write(&file, b"not a file of weights").unwrap();
    let model = || Mlp::new(Seed::new(1));
    assert!(
        load(model(), &file)
            .unwrap_err()
            .to_string()
            .contains("not a safetensors file")
    );
    let tensor = |shape: Vec<usize>, data: &'static [u8]| {
        safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape, data).unwrap()
    };
    let view = tensor(vec![2], &[0; 8]);
    let bytes = safetensors::serialize([("layers.0.bias", view)], None).unwrap();
    std::fs::write(&file, bytes).unwrap();
    let message = load(model(), &file).unwrap_err().to_string();
    assert!(message.contains("layers.0"), "{message}");
    assert!(load(model(), &folder.path().join("absent")).is_err());
}
