package bulletin

import (
	"fmt"

	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
)

// Correction is what the previous issue said and no longer holds.
type Correction struct {
	Month     landmark.Month
	Indicator *landmark.Indicator
	Text      string // one sentence
}

func (c Correction) figure() string {
	return "correction." + c.Month.String() + "." + c.Indicator.Code
}

// values are the approved values of the plan's months up to the board's.
func values(b landmark.Board) map[string]map[string]string {
	r, out := b.Record, map[string]map[string]string{}
	for m := r.Plan.FirstMonth(); m <= b.Month; m++ {
		of := map[string]string{}
		for _, ind := range r.Plan.Indicators() {
			if v, ok := r.Value(ind.ID, m); ok {
				of[ind.Code] = plain(v)
			}
		}
		out[m.String()] = of
	}
	return out
}

func plain(v landmark.Value) string {
	if v.Step != "" {
		return v.Step
	}
	return v.Amount.Decimal.String()
}

// Corrections are the values of months the previous issue covered that differ
// from those it rested on, and the lights of its own month that turned though
// the value did not. A value put right twice and back is none.
func Corrections(in Input) []Correction {
	if in.Previous == nil {
		return nil
	}
	r, last := in.Board.Record, in.Previous.Issue.Month
	lights := map[string]landmark.Light{}
	for _, row := range in.Previous.Annex.Rows {
		lights[row.Code] = row.Light
	}
	var out []Correction
	for m := r.Plan.FirstMonth(); m <= last; m++ {
		for _, ind := range r.Plan.Indicators() {
			turned := ""
			if was, printed := lights[ind.Code]; printed && m == last {
				if light := r.Assess(ind, m).Light; light != was {
					turned = fmt.Sprintf("状态由%s更正为%s", was.Chinese(), light.Chinese())
				}
			}
			text := corrected(r, ind, m, in.Previous.Values[m.String()][ind.Code])
			switch {
			case text == "" && turned == "":
				continue
			case text == "":
				text = turned
			case turned != "":
				text += "，" + turned
			}
			out = append(out, Correction{Month: m, Indicator: ind, Text: fmt.Sprintf("%s（%s）%s%s", ind.Name, ind.Project.Lead.Name, m.Chinese(), text)})
		}
	}
	return out
}

// corrected says how a month's value differs from the one once printed, empty
// where it does not.
func corrected(r *landmark.Record, ind *landmark.Indicator, m landmark.Month, old string) string {
	v, ok := r.Value(ind.ID, m)
	if !ok || plain(v) == old {
		return ""
	}
	show := func(s string) string {
		if d, err := decimal.NewFromString(s); err == nil {
			return withUnit(ind, d)
		}
		return "“" + s + "”"
	}
	if old == "" {
		return "数据补报为" + show(plain(v))
	}
	text := fmt.Sprintf("数据由%s更正为%s", show(old), show(plain(v)))
	if reason := oneLine(v.Reason); reason != "" && v.Corrections > 0 {
		text += "（" + reason + "）"
	}
	return text
}
