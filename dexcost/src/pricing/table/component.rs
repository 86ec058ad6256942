//! What a table can price, and in which variants.

/// Declares the price components in the order of the packed table.
macro_rules! components {
    ($( $(#[$doc:meta])* $variant:ident = $word:literal, )+) => {
        /// One thing that can have a price.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub(crate) enum Component {
            $( $(#[$doc])* $variant, )+
        }

        impl Component {
            /// Every component, in the order of the packed table.
            pub(crate) const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its name in price files.
            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
    };
}

components! {
    /// A prompt token.
    Input = "input",
    /// A completion token.
    Output = "output",
    /// A token read from a cache.
    CacheRead = "cache_read",
    /// A token written to a cache for some minutes.
    CacheWrite = "cache_write",
    /// A token written to a cache for an hour.
    CacheWrite1h = "cache_write_1h",
    /// A token written to a cache for twelve hours.
    CacheWrite12h = "cache_write_12h",
    /// A reasoning token.
    Reasoning = "reasoning",
    /// An audio token of the prompt.
    InputAudio = "input_audio",
    /// An audio token of the completion.
    OutputAudio = "output_audio",
    /// An audio token read from a cache.
    CacheReadAudio = "cache_read_audio",
    /// An image token read from a cache.
    CacheReadImage = "cache_read_image",
    /// An audio token written to a cache.
    CacheWriteAudio = "cache_write_audio",
    /// An image token of the prompt.
    InputImageToken = "input_image_token",
    /// An image token of the completion.
    OutputImageToken = "output_image_token",
    /// A video token of the prompt.
    InputVideoToken = "input_video_token",
    /// A video token of the completion.
    OutputVideoToken = "output_video_token",
    /// A token read from a cache that the caller made explicitly.
    ExplicitCacheRead = "explicit_cache_read",
    /// A token of a citation.
    Citation = "citation",
    /// An image given.
    InputImage = "input_image",
    /// An image made.
    OutputImage = "output_image",
    /// A pixel of an image, by the input key.
    InputPixel = "input_pixel",
    /// A pixel of an image, by the output key.
    OutputPixel = "output_pixel",
    /// A character given.
    InputCharacter = "input_character",
    /// A character made.
    OutputCharacter = "output_character",
    /// A query or search unit.
    Query = "query",
    /// A request.
    Request = "request",
    /// A text message of a voice session.
    TextMessage = "text_message",
    /// A second, by the input key.
    InputSecond = "input_second",
    /// A second, by the output key.
    OutputSecond = "output_second",
    /// A second of audio in a prompt.
    InputAudioSecond = "input_audio_second",
    /// A second of video in a prompt.
    InputVideoSecond = "input_video_second",
    /// A second of video made.
    OutputVideoSecond = "output_video_second",
    /// A second of wall time.
    WallSecond = "wall_second",
    /// A page read.
    Page = "page",
    /// A page annotated.
    AnnotationPage = "annotation_page",
    /// A credit of a document service.
    OcrCredit = "ocr_credit",
    /// A session of a code interpreter.
    CodeSession = "code_session",
    /// A grounding lookup in maps.
    MapsQuery = "maps_query",
    /// A web search with little context.
    SearchLow = "search_low",
    /// A web search with the usual context.
    SearchMedium = "search_medium",
    /// A web search with much context.
    SearchHigh = "search_high",
    /// A second of 480p video.
    OutputSecond480p = "output_second_480p",
    /// A second of 720p video.
    OutputSecond720p = "output_second_720p",
    /// A second of 768p video.
    OutputSecond768p = "output_second_768p",
    /// A second of 1080p video.
    OutputSecond1080p = "output_second_1080p",
    /// A second of 2k video.
    OutputSecond2k = "output_second_2k",
    /// A second of 4k video.
    OutputSecond4k = "output_second_4k",
    /// An image of half a megapixel.
    OutputImageHalfK = "output_image_0.5k",
    /// An image of 1k.
    OutputImage1k = "output_image_1k",
    /// An image of 2k.
    OutputImage2k = "output_image_2k",
    /// An image of 4k.
    OutputImage4k = "output_image_4k",
    /// An object at 512.
    OutputImage512 = "output_image_512",
    /// An object at 1024.
    OutputImage1024 = "output_image_1024",
    /// An object at 1536.
    OutputImage1536 = "output_image_1536",
    /// A second of video in intervals above 8 s.
    VideoSecond8s = "video_second_8s",
    /// A second of video in intervals above 15 s.
    VideoSecond15s = "video_second_15s",
    /// Multiplier for data residency in the US.
    XResidencyUs = "x_residency_us",
    /// Multiplier for data residency in the EU.
    XResidencyEu = "x_residency_eu",
    /// Multiplier for an endpoint that is not the global one.
    XRegional = "x_regional",
    /// Multiplier for inference in the US.
    XGeoUs = "x_geo_us",
    /// Multiplier for the fast mode.
    XSpeedFast = "x_speed_fast",
}

impl Component {
    /// The component of a name in a price file.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|c| c.as_str() == name)
    }
}

/// Which price list of a model applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Tier {
    /// The plain one.
    Standard,
    /// The batch interface.
    Batch,
    /// Slower and cheaper.
    Flex,
    /// Faster and dearer.
    Priority,
    /// Between the two.
    Balanced,
    /// Faster still.
    Ultrafast,
    /// Calls that only decide.
    Decisions,
}

/// Gemini's traffic type of a call through its batch interface.
const TRAFFIC_BATCH: &str = "BATCH";

impl Tier {
    /// Every tier, in the order of the packed table.
    pub(crate) const ALL: &[Self] = &[
        Self::Standard,
        Self::Batch,
        Self::Flex,
        Self::Priority,
        Self::Balanced,
        Self::Ultrafast,
        Self::Decisions,
    ];

    /// Its name in price files.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Batch => "batch",
            Self::Flex => "flex",
            Self::Priority => "priority",
            Self::Balanced => "balanced",
            Self::Ultrafast => "ultrafast",
            Self::Decisions => "decisions",
        }
    }

    /// Whether a word on the wire names a tier that is known, be it without a price list of its own.
    pub(crate) fn is_known(word: &str) -> bool {
        const PLAIN: &[&str] = &[
            "default",
            "standard",
            "auto",
            "on_demand",
            "standard_only",
            "batch",
            "scale",
            "reserved",
            "provisioned",
            "provisioned_throughput",
        ];
        word.is_empty()
            || PLAIN.iter().any(|known| word.eq_ignore_ascii_case(known))
            || Self::of_wire(Some(word)) != Self::Standard
    }

    /// The tier of a word on the wire. Words without a price list of their own (`default`, `auto`,
    /// `standard`, anything unknown) mean the plain one.
    pub(crate) fn of_wire(word: Option<&str>) -> Self {
        let Some(word) = word else { return Self::Standard };
        let is = |known: &str| word.eq_ignore_ascii_case(known);
        if is("flex") || is("ON_DEMAND_FLEX") {
            Self::Flex
        } else if is("priority") || is("fast") || is("ON_DEMAND_PRIORITY") {
            Self::Priority
        } else if is("balanced") {
            Self::Balanced
        } else if is("ultrafast") {
            Self::Ultrafast
        } else if word == TRAFFIC_BATCH {
            // Gemini's traffic type of a call through its batch interface is billed at the flex rate.
            Self::Flex
        } else if is("batch") {
            Self::Batch
        } else {
            Self::Standard
        }
    }
}

/// A component in one of its variants: the key of a price inside an entry.
///
/// Layout: component in the low byte, tier in the next three bits, threshold (0 = none, else its
/// place in the table's list, from 1) above. Plain prices sort first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Code(pub(crate) u16);

impl Code {
    /// The plain price of a component.
    pub(crate) const fn plain(component: Component) -> Self {
        Self(component as u16)
    }

    /// The price in a tier, above a threshold (0 = below all).
    pub(crate) const fn of(component: Component, tier: Tier, threshold: usize) -> Self {
        Self(component as u16 | (tier as u16) << 8 | (threshold as u16) << 11)
    }

    /// The component that is priced.
    pub(crate) fn component(self) -> Option<Component> {
        Component::ALL.get(usize::from(self.0 & 0xff)).copied()
    }

    /// The tier that it is priced in.
    #[cfg(test)]
    pub(crate) fn tier(self) -> Option<Tier> {
        Tier::ALL.get(usize::from(self.0 >> 8 & 7)).copied()
    }

    /// The place of its threshold, 0 for none.
    pub(crate) const fn threshold(self) -> usize {
        (self.0 >> 11) as usize
    }
}
