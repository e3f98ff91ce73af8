//! The numbers by which FIF names its tags, blocks, codings, channels and units.
//!
//! Source: Elekta Neuromag's FIFF dictionary as kept by the `fiff-constants` project, and the tags
//! that MNE has added (3500 and up).

/// Kinds of tags.
pub(super) mod kind {
    pub(crate) const FILE_ID: i32 = 100;
    pub(crate) const BLOCK_START: i32 = 104;
    pub(crate) const BLOCK_END: i32 = 105;
    pub(crate) const REF_ROLE: i32 = 115;
    pub(crate) const REF_FILE_NUM: i32 = 117;
    pub(crate) const REF_FILE_NAME: i32 = 118;
    pub(crate) const NCHAN: i32 = 200;
    pub(crate) const SFREQ: i32 = 201;
    pub(crate) const CH_INFO: i32 = 203;
    pub(crate) const MEAS_DATE: i32 = 204;
    pub(crate) const COMMENT: i32 = 206;
    pub(crate) const NAVE: i32 = 207;
    pub(crate) const FIRST_SAMPLE: i32 = 208;
    pub(crate) const LAST_SAMPLE: i32 = 209;
    pub(crate) const ASPECT_KIND: i32 = 210;
    pub(crate) const LOWPASS: i32 = 219;
    pub(crate) const COORD_TRANS: i32 = 222;
    pub(crate) const HIGHPASS: i32 = 223;
    pub(crate) const NO_SAMPLES: i32 = 228;
    pub(crate) const FIRST_TIME: i32 = 229;
    pub(crate) const NAME: i32 = 233;
    pub(crate) const LINE_FREQ: i32 = 235;
    pub(crate) const CH_KIND: i32 = 252;
    pub(crate) const CH_RANGE: i32 = 253;
    pub(crate) const CH_CAL: i32 = 254;
    pub(crate) const CH_LOC: i32 = 255;
    pub(crate) const CH_UNIT: i32 = 256;
    pub(crate) const CH_UNIT_MUL: i32 = 257;
    pub(crate) const CH_NAME: i32 = 258;
    pub(crate) const CH_COIL_TYPE: i32 = 350;
    pub(crate) const CH_COORD_FRAME: i32 = 351;
    pub(crate) const DATA_BUFFER: i32 = 300;
    pub(crate) const DATA_SKIP: i32 = 301;
    pub(crate) const EPOCH: i32 = 302;
    pub(crate) const DATA_SKIP_SAMP: i32 = 303;
    pub(crate) const SUBJ_HIS_ID: i32 = 410;
    pub(crate) const PROJ_ITEM_NVEC: i32 = 3414;
    pub(crate) const MNE_CH_NAME_LIST: i32 = 3507;
    pub(crate) const MNE_PROJ_ITEM_ACTIVE: i32 = 3560;
    pub(crate) const MNE_EVENT_LIST: i32 = 3561;
    pub(crate) const MNE_BASELINE_MIN: i32 = 3568;
    pub(crate) const MNE_BASELINE_MAX: i32 = 3569;

    /// What a tag is about, for errors.
    pub(crate) fn name(kind: i32) -> &'static str {
        match kind {
            FILE_ID => "file identification",
            BLOCK_START => "start of a block",
            BLOCK_END => "end of a block",
            REF_ROLE | REF_FILE_NUM | REF_FILE_NAME => "reference to another file",
            NCHAN => "number of channels",
            SFREQ => "sampling rate",
            CH_INFO => "channel information",
            MEAS_DATE => "measurement date",
            COMMENT => "description",
            NAVE => "number of averages",
            FIRST_SAMPLE => "first sample",
            LAST_SAMPLE => "last sample",
            ASPECT_KIND => "aspect",
            LOWPASS => "low-pass corner",
            HIGHPASS => "high-pass corner",
            COORD_TRANS => "coordinate transformation",
            NO_SAMPLES => "number of samples",
            FIRST_TIME => "time of the first sample",
            LINE_FREQ => "line frequency",
            CH_KIND..=CH_NAME | CH_COIL_TYPE | CH_COORD_FRAME => "extended channel information",
            DATA_BUFFER => "data buffer",
            DATA_SKIP | DATA_SKIP_SAMP => "data skip",
            EPOCH => "data",
            PROJ_ITEM_NVEC | MNE_PROJ_ITEM_ACTIVE => "projection",
            MNE_CH_NAME_LIST => "list of channel names",
            MNE_EVENT_LIST => "event list",
            MNE_BASELINE_MIN | MNE_BASELINE_MAX => "times of a baseline or of annotations",
            _ => "tag",
        }
    }
}

/// Kinds of blocks.
pub(super) mod block {
    pub(crate) const MEAS: i32 = 100;
    pub(crate) const MEAS_INFO: i32 = 101;
    pub(crate) const RAW_DATA: i32 = 102;
    pub(crate) const PROCESSED_DATA: i32 = 103;
    pub(crate) const EVOKED: i32 = 104;
    pub(crate) const ASPECT: i32 = 105;
    pub(crate) const SUBJECT: i32 = 106;
    pub(crate) const HPI_RESULT: i32 = 109;
    pub(crate) const CONTINUOUS_DATA: i32 = 112;
    pub(crate) const CH_INFO: i32 = 113;
    pub(crate) const REF: i32 = 118;
    pub(crate) const IAS_RAW_DATA: i32 = 119;
    pub(crate) const IAS_ASPECT: i32 = 120;
    pub(crate) const PROJ: i32 = 313;
    pub(crate) const PROJ_ITEM: i32 = 314;
    pub(crate) const MNE_BAD_CHANNELS: i32 = 359;
    pub(crate) const MNE_EVENTS: i32 = 361;
    pub(crate) const MNE_CTF_COMP: i32 = 370;
    pub(crate) const MNE_EPOCHS: i32 = 373;
    pub(crate) const MNE_ANNOTATIONS: i32 = 3810;

    /// What a block holds, for errors.
    pub(crate) fn name(block: i32) -> String {
        let name = match block {
            MEAS => "the measurement",
            MEAS_INFO => "the measurement information",
            RAW_DATA | CONTINUOUS_DATA | IAS_RAW_DATA => "the raw data",
            PROCESSED_DATA => "the processed data",
            EVOKED => "an evoked response",
            ASPECT | IAS_ASPECT => "an aspect of an evoked response",
            SUBJECT => "the subject",
            REF => "a reference to another file",
            PROJ | PROJ_ITEM => "a projection",
            MNE_EVENTS => "the event list",
            MNE_EPOCHS => "the epochs",
            MNE_ANNOTATIONS => "the annotations",
            310 => "a boundary-element model",
            351 => "a source space",
            352 => "a forward solution",
            355 => "a covariance matrix",
            356 => "an inverse solution",
            374 => "an independent component analysis",
            other => return format!("block {other}"),
        };
        name.to_string()
    }
}

/// How numbers are stored.
pub(super) mod coding {
    pub(crate) const SHORT: u32 = 2;
    pub(crate) const INT: u32 = 3;
    pub(crate) const FLOAT: u32 = 4;
    pub(crate) const DOUBLE: u32 = 5;
    pub(crate) const DAU_PACK16: u32 = 16;
    pub(crate) const COMPLEX_FLOAT: u32 = 20;
    pub(crate) const COMPLEX_DOUBLE: u32 = 21;
    /// Set in a coding that is a dense matrix of the coding in the lower 16 bits.
    pub(crate) const MATRIX: u32 = 0x4000_0000;
    pub(crate) const MATRIX_MASK: u32 = 0xffff_0000;
}

/// The unit with this number, in SI symbols; empty where it has none or is not known.
pub(super) fn unit(code: i32) -> &'static str {
    match code {
        1 => "m",
        2 => "kg",
        3 => "s",
        4 => "A",
        5 => "K",
        6 => "mol",
        7 => "rad",
        8 => "sr",
        9 => "cd",
        10 => "mol/m^3",
        101 => "Hz",
        102 => "N",
        103 => "Pa",
        104 => "J",
        105 => "W",
        106 => "C",
        107 => "V",
        108 => "F",
        109 => "Ohm",
        110 => "S",
        111 => "Wb",
        112 => "T",
        113 => "H",
        114 => "°C",
        115 => "lm",
        116 => "lx",
        117 => "V/m^2",
        118 => "s^2",
        201 => "T/m",
        202 => "A m",
        203 => "A/m",
        204 => "A/m^2",
        210 => "px",
        _ => "",
    }
}
