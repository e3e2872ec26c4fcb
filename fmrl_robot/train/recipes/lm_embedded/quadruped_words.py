"""How people say gaits, places, speeds and legs; alternatives in the notation of phrases.py."""

GAITS = {
    "trot": ("trot trotting trotted", "a (trot|trotting gait|trotting pace|diagonal gait)"),
    "pace": ("pace pacing paced", "a (pace|pacing gait|pacing walk|lateral gait)"),
    "bound": ("bound bounding bounded", "a (bound|bounding gait|bounding motion|half-bound gait)"),
    "walk": ("walk walking walked", "a (walk|walking gait)"),
}
PLACE = (
    "(in place|in place|in place|in place|on the spot|on the spot|on the same spot|without moving forward|where you are|"
    "without going anywhere|at the same place|on one spot|without leaving your spot|while staying in place|"
    "but stay where you are|without advancing|at zero speed|with zero velocity|and don't move away|without moving|"
    "right where you stand|staying on the spot|remaining in place|without travelling|at a standstill|in one place|"
    "in the same position|but remain on the spot|keeping your position|without any forward speed|at 0 m/s|"
    "with no forward motion|while remaining in place|stationary|without changing your position|here|right here)"
)
DIRECTION = {
    1: "(forward|forward|forward|forwards|ahead|straight ahead|onward|to the front|in the forward direction|frontward|straight on)",
    -1: "(backward|backward|backwards|backwards|back|in reverse|rearward|to the rear|in the backward direction|rearwards)",
}
SPEED = {
    1: "(slowly|slowly|slowly|at a slow speed|slow|gently|at low speed|leisurely|unhurriedly|at half speed|with low speed|calmly|"
    "at a gentle speed|at a relaxed speed|at 0.5 m/s|at 0.5 metres per second|at half a meter per second|nice and slowly|"
    "carefully|at a comfortable speed|easy|in a slow manner|very slowly|rather slowly|at a moderate speed|without hurry|"
    "at a crawl|with a speed of 0.5|at .5 m/s|at a slow pace of 0.5 m/s|at 50 centimetres per second|quietly|cautiously|softly|"
    "at a snail's speed|in slow motion|taking your time|with small speed|gradually|a little|lazily|steadily and slowly|half speed|at a leisurely pace|at a slow pace|slow and steady|at a low pace|at a gentle pace|without haste)",
    2: "(fast|fast|fast|quickly|quickly|at full speed|at high speed|rapidly|at top speed|at a high speed|as fast as possible|"
    "swiftly|at maximum speed|at 1 m/s|at one metre per second|at 1.0 m/s|at a fast speed|with high speed|speedily|hurriedly|"
    "in a hurry|at one meter per second|really fast|very fast|at speed|briskly|full throttle|with a speed of 1|hastily|"
    "at a brisk speed|with full speed|flat out|at 1 metre per second|at a metre a second|as quickly as you can|at top pace|full speed|at a fast pace|at a brisk pace|as fast as you possibly can|at the highest speed|like the wind)",
}
SLOW_ADJ = "(slow|slow|gentle|leisurely|relaxed|calm|unhurried|easy|careful|lazy)"
FAST_ADJ = "(fast|fast|quick|rapid|speedy|swift|brisk|high-speed)"
LEGS = {
    "FL": "(front left|front left|left front|FL|forward left|left fore|front-left|left forward)",
    "FR": "(front right|front right|right front|FR|forward right|right fore|front-right|right forward)",
    "RL": "(rear left|rear left|left rear|RL|back left|left hind|left back|hind left|rear-left)",
    "RR": "(rear right|rear right|right rear|RR|back right|right hind|right back|hind right|rear-right)",
}
AIR = (
    "with (a|a|a short|a long|some|a clear|a brief) (suspension phase|suspension|aerial phase|flight phase|airborne phase|flying phase|phase of suspension|"
    "moment of suspension|moment in the air|phase in the air|ballistic phase|floating phase)|"
    "with (suspension|suspension phases|flight phases|aerial phases|air time|all (four |)feet off the ground (sometimes|in between|at times|for a moment))|"
    "so that all (four |)(feet|legs|paws) (leave|are off|lift off) the (ground|floor) (at once|sometimes|in between|between steps|for a moment|at the same time|briefly)|"
    "such that (no foot|none of the feet|not one foot) (touches|is on) the (ground|floor) (for a while|sometimes|between (the |)steps|for a moment|part of the time)|"
    "(where|in which) (the (whole |)(robot|body) is|all feet are|you are|all legs are) (in the air|airborne|off the ground|off the floor) (for a moment|part of the time|sometimes|at times|in each cycle|between steps|between the steps)|"
    "with (moments|periods|phases) (in which|when|where) (all (four |)(feet|legs) are|the (whole |)(robot|body|dog) is|everything is|you are) (in the air|airborne|off the ground|suspended)|"
    "and (leave the ground|be airborne|fly|lift all feet) (between steps|for a moment in each step|for a moment|in between)|"
    "with (all|the) feet (in the air|off the floor|off the ground) (for a while|for part of the cycle|part of the time|in between)|with hops in between|letting all feet (leave the ground|come off the floor)"
)
AIR_ADJ = "(flying|bouncy|suspended|springy|jumping|bouncing|airborne|floating|hopping)"
NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
