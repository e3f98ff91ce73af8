//! Dynamic functional connectome (Dyballa, Lang, Haslund-Gourley, Yemini and Zucker 2024).
//!
//! Which neurons act together, when, and in which animals? The paper answers with affinities of derivatives,
//! a masked non-negative factorisation, and a block model that divides each factor's graph. Its recordings
//! of C. elegans are not public in a form we can fetch, so the claims are tested where the truth is known:
//! on simulated calcium recordings with planted communities, and on weighted benchmark graphs. The
//! measured atlases of the worm serve as a sanity check where they were fetched; with `--data` the study
//! analyses the person's own traces instead.
//!
//! Reporting the level of a hierarchy that agrees best with the truth needs the truth; the level of the
//! shortest description is reported beside it. The number of components is chosen on held-out pairs.

mod benchmark_graphs;
mod evidence;
mod planted;
mod traces;
mod worm;

use chiasm_brain::dynamic_connectome::{
    Affinities, AffinitySettings, Division, DynamicConnectome, SlidingWindow,
};
use chiasm_core::evidence::{Claim, DataSource, DataUsed, Direction, Findings};
use chiasm_core::metrics::interval::mean;
use chiasm_core::run::Scale;
use chiasm_core::{Error, Result as CoreResult, Seed};
use chiasm_numerics::graph::BlockModelSettings;
use chiasm_numerics::tensor::{CpSettings, RankSettings};
use chiasm_sim::calcium_communities::CalciumCommunitiesSettings;
use chiasm_sim::lfr::LfrSettings;
use serde::{Deserialize, Serialize};

use self::benchmark_graphs::GraphSeed;
use self::planted::PlantedSeed;
use crate::{Context, Family, OpenChoice, Result, Settings, SettingsOf, Study};

const BLOCKS_BEAT_LOUVAIN: Claim = Claim {
    id: "blocks-beat-louvain",
    statement: "On weighted benchmark graphs the nested block model finds planted communities better than \
                Louvain, the best level of its hierarchy counted.",
    paper: "best of the compared methods on weighted LFR graphs, by normalised mutual information",
    metric: "NMI minus that of Louvain, less the same on rewired graphs, mean over nine settings",
    direction: Direction::Greater,
    margin: 0.0,
    baseline: "lowest level of the shortest description",
    control: "graphs rewired once more in place of planted ones",
};

const FACTORS_RECOVERED: Claim = Claim {
    id: "factors-recovered",
    statement: "The factors recover when planted communities are active, in which animals, and between \
                which neurons.",
    paper: "each factor gives an interval, its animals and a graph; no ground truth in the paper",
    metric: "factor match score",
    direction: Direction::Greater,
    margin: 0.8,
    baseline: "sliding-window correlation",
    control: "nothing planted",
};

const MODULES_RECOVERED: Claim = Claim {
    id: "modules-recovered",
    statement: "The module that holds each factor together is the planted community.",
    paper: "modules of sensory and command neurons known to act together; no ground truth in the paper",
    metric: "adjusted mutual information with planted membership",
    direction: Direction::Greater,
    margin: 0.7,
    baseline: "sliding-window correlation and Louvain",
    control: "nothing planted",
};

const DERIVATIVES_BEAT_WINDOWS: Claim = Claim {
    id: "derivatives-beat-windows",
    statement: "Affinities of derivatives with the block model recover modules better than sliding-window \
                correlation with Louvain.",
    paper: "derivative affinities avoid the choice of a window length; no comparison by numbers",
    metric: "adjusted mutual information minus that of sliding windows and Louvain",
    direction: Direction::Greater,
    margin: 0.15,
    baseline: "sliding-window correlation with the block model",
    control: "nothing planted",
};

const LESION_SEEN: Claim = Claim {
    id: "lesion-seen",
    statement: "Taking away the drive of a community's hub takes the hub out of the module, and only the \
                hub.",
    paper: "silencing a neuron changed behaviour as its module predicts (needs animals; a simulated \
            lesion stands in)",
    metric: "share of its affinity with the module that the hub loses",
    direction: Direction::Greater,
    margin: 0.5,
    baseline: "sliding-window correlation",
    control: "the member next in gain, left alone",
};

/// The settings of this study.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConnectomeSettings {
    /// Benchmark graphs drawn for each of the nine settings of mixing, per seed.
    pub(crate) graphs_per_setting: usize,
    /// Communities whose hub is lesioned, per seed.
    pub(crate) lesions: usize,
    /// Samples per second of files that do not say; 0 refuses such files.
    pub(crate) trace_rate: f64,
    /// The benchmark graphs; mixing and strength exponent are varied.
    pub(crate) graphs: LfrSettings,
    /// The block model on benchmark graphs and on the worm.
    pub(crate) blocks: BlockModelSettings,
    /// The simulated recordings.
    pub(crate) simulated: CalciumCommunitiesSettings,
    /// The analysis.
    pub(crate) pipeline: DynamicConnectome,
    /// The window of the analysis it is compared with.
    pub(crate) window: SlidingWindow,
}

impl Settings for ConnectomeSettings {
    fn at(scale: Scale) -> Self {
        let (frames_per_step, restarts, draws, graphs_per_setting, lesions) = match scale {
            Scale::Quick => (4, 3, 2, 1, 1),
            Scale::Standard => (2, 6, 3, 3, 3),
            Scale::Paper => (1, 10, 5, 10, 5),
        };
        let searches = if scale == Scale::Quick { 1 } else { 4 };
        let blocks = BlockModelSettings {
            restarts: searches,
            ..Default::default()
        };
        let affinities = AffinitySettings {
            frames_per_step,
            ..Default::default()
        };
        let search = RankSettings {
            candidates: if scale == Scale::Quick {
                vec![5, 6, 7, 8]
            } else {
                (3..=10).collect()
            },
            draws,
            ..Default::default()
        };
        ConnectomeSettings {
            graphs_per_setting,
            lesions,
            trace_rate: 0.0,
            graphs: LfrSettings::default(),
            pipeline: DynamicConnectome {
                affinities: Affinities::Derivatives(affinities),
                decomposition: CpSettings {
                    restarts,
                    ..Default::default()
                },
                rank_search: Some(search),
                division: Division::BlockModel(blocks.clone()),
                ..Default::default()
            },
            blocks,
            simulated: CalciumCommunitiesSettings::default(),
            window: SlidingWindow::default(),
        }
    }

    fn check(&self) -> CoreResult<()> {
        if self.graphs_per_setting == 0 {
            return Err(Error::setting("graphs_per_setting", 0, "at least 1"));
        }
        if self.lesions == 0 {
            return Err(Error::setting("lesions", 0, "at least 1"));
        }
        if !(self.trace_rate >= 0.0 && self.trace_rate.is_finite()) {
            return Err(Error::setting(
                "trace_rate",
                self.trace_rate,
                "0 or samples per second",
            ));
        }
        self.graphs.check()?;
        self.blocks.check()?;
        self.simulated.check()?;
        self.window.check()?;
        self.pipeline.check()
    }
}

/// The study.
pub(crate) static STUDY: Study = Study::new(Study {
    number: 37,
    slug: "dynamic-connectome",
    title: "Which neurons act together, when, and in which animals",
    family: Family::Populations,
    citation: "Dyballa, Lang, Haslund-Gourley, Yemini and Zucker, Learning dynamic representations of the \
               functional connectome in neurobiological networks, ICLR 2024",
    summary: "Calcium recordings of twelve simulated animals, in which communities of neurons act together \
              at times and in some animals only, are turned into affinities of derivatives, decomposed by \
              masked non-negative CP and divided by a nested weighted block model; the same with \
              sliding-window correlation and Louvain. The block model also faces Louvain on weighted \
              benchmark graphs. With --data the study analyses your own traces.",
    scaled_down: "60 simulated neurons in 12 animals instead of recordings of 21 worms; at quick affinities \
                  are averaged over 4 frames and one graph is drawn for each of nine settings, not ten.",
    data: "Traces of one animal a file (.nwb, .csv, .tsv, or .npy with neurons.txt beside it) or a folder of \
           such files; neurons are matched by name, NaN marks those not found",
    claims: &[
        BLOCKS_BEAT_LOUVAIN,
        FACTORS_RECOVERED,
        MODULES_RECOVERED,
        DERIVATIVES_BEAT_WINDOWS,
        LESION_SEEN,
    ],
    choices: &[
        OpenChoice {
            setting: "pipeline.affinities.derivatives.smoothness",
            what: "how traces are differentiated: a smoothing spline, or a penalised derivative",
        },
        OpenChoice {
            setting: "pipeline.affinities.derivatives.clip",
            what: "how derivatives are scaled: from a floor to a clip in multiples of the median size",
        },
        OpenChoice {
            setting: "pipeline.affinities.derivatives.rule",
            what: "how two derivatives make an affinity: geometric mean, or minimum",
        },
        OpenChoice {
            setting: "pipeline.rank_search",
            what: "how the number of components is chosen: held-out pairs among stable ranks",
        },
        OpenChoice {
            setting: "simulated",
            what: "how strong and how alike in all animals planted activity is; noise as in the settings",
        },
    ],
    settings: SettingsOf::of::<ConnectomeSettings>(),
    run,
});

fn run(context: &Context) -> Result<Findings> {
    let settings: ConnectomeSettings = context.settings()?;
    let mut findings = Findings::new();
    if context.data().len() > 0 {
        context.data_used().for_each(|data| findings.data(data));
        let seed = Seed::new(context.seeds().first().copied().unwrap_or(0));
        traces::analyse(
            &settings,
            context.data(),
            seed,
            &mut findings,
            context.progress(),
        )?;
        for claim in STUDY.claims {
            findings.not_tested(
                claim,
                "your traces come without known communities; run without --data",
            );
        }
        return Ok(findings);
    }
    let graphs: Vec<GraphSeed> = context.each_seed("graphs", |run| {
        Ok(benchmark_graphs::measure(
            &settings,
            run.seed.named("graphs"),
            &run.progress.quiet(),
        )?)
    })?;
    let planted: Vec<PlantedSeed> = context.each_seed("recordings", |run| {
        Ok(planted::measure(
            &settings,
            run.seed.named("planted"),
            &run.progress.quiet(),
        )?)
    })?;
    for name in ["calcium communities", "weighted LFR graphs"] {
        findings.data(DataUsed {
            name: name.to_string(),
            sha256: None,
            source: DataSource::Simulated,
        });
    }
    evidence::claims(&mut findings, &graphs, &planted)?;
    evidence::figures(&mut findings, &graphs, &planted)?;
    let ranks: Vec<String> = planted.iter().map(|seed| seed.rank.to_string()).collect();
    findings.note(format!(
        "Held-out pairs chose {} components (seed by seed); five communities were planted.",
        ranks.join(", ")
    ));
    let blocks = planted.iter().map(|seed| seed.windows_blocks.modules);
    findings.note(format!(
        "Divided by the block model, sliding-window components reach an adjusted mutual information of \
         {:.2} (derivatives: {:.2}, sliding windows with Louvain: {:.2}): what lies between the two \
         pipelines is mostly the block model.",
        mean(&blocks.collect::<Vec<f64>>()),
        mean(&planted.iter().map(|seed| seed.derivatives.modules).collect::<Vec<f64>>()),
        mean(&planted.iter().map(|seed| seed.windows.modules).collect::<Vec<f64>>())
    ));
    worm::examine(&settings, &mut findings, context.progress())?;
    Ok(findings)
}
