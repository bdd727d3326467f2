package landmark

// Light is the judgement on an indicator for a month (状态).
type Light string

// The lights, from trouble to calm. NoLight is for an indicator that cannot be
// judged: its kind is not entered, or its target is words only.
const (
	NoLight    Light = ""
	Critical   Light = "critical"   // 严重滞后
	Behind     Light = "behind"     // 滞后
	Unreported Light = "unreported" // 未报送
	OnTrack    Light = "on_track"   // 正常
	Done       Light = "done"       // 已完成
	NotDue     Light = "not_due"    // 未到期
)

// Lights are all of them, trouble first. NoLight comes last.
var Lights = []Light{Critical, Behind, Unreported, OnTrack, Done, NotDue, NoLight}

// Chinese is the light on pages.
func (l Light) Chinese() string {
	switch l {
	case Critical:
		return "严重滞后"
	case Behind:
		return "滞后"
	case Unreported:
		return "未报送"
	case OnTrack:
		return "正常"
	case Done:
		return "已完成"
	case NotDue:
		return "未到期"
	default:
		return "未判定"
	}
}

// ParseLight reads a light's code. The error is Invalid.
func ParseLight(s string) (Light, error) {
	for _, l := range Lights {
		if s != "" && string(l) == s {
			return l, nil
		}
	}
	return NoLight, Errorf(Invalid, "light", "没有“%s”这种状态", s)
}

// Trouble says whether somebody must act: behind, critical or unreported.
func (l Light) Trouble() bool { return l == Critical || l == Behind || l == Unreported }

// Judged says whether the light judges progress: not_due and NoLight do not.
func (l Light) Judged() bool { return l != NotDue && l != NoLight }

// Severity orders lights: greater is worse.
func (l Light) Severity() int {
	for i, v := range Lights {
		if v == l {
			return len(Lights) - i
		}
	}
	return 0
}

// LightRule says how far behind is how bad, from a month on. Both figures are
// percentage points: at most Tolerance behind is on track, more than RedLine
// behind is critical.
type LightRule struct {
	From      Month
	Tolerance int
	RedLine   int
}

// DefaultRule is the rule of a plan for which the office set none.
func DefaultRule(from Month) LightRule { return LightRule{From: from, Tolerance: 5, RedLine: 20} }

// Judge turns a gap in progress (negative is behind) into a light.
func (r LightRule) Judge(gap Ratio) Light {
	switch {
	case gap.Cmp(Fraction(int64(-r.RedLine), 100)) < 0:
		return Critical
	case gap.Cmp(Fraction(int64(-r.Tolerance), 100)) < 0:
		return Behind
	default:
		return OnTrack
	}
}
