package bulletin

import (
	"fmt"

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

// Corrections are the values of months the previous issue covered that differ
// from what stood approved at its moment, and the lights of its own month that
// turned without a new value. A value put right twice and back is none.
func Corrections(in Input) []Correction {
	if in.Previous == nil || in.Before == nil {
		return nil
	}
	now, before := in.Board.Record, in.Before
	then := map[string]*landmark.Indicator{}
	for _, ind := range before.Plan.Indicators() {
		then[ind.Code] = ind
	}
	var out []Correction
	for m := now.Plan.FirstMonth(); m <= in.Previous.Month; m++ {
		for _, ind := range now.Plan.Indicators() {
			old, ok := then[ind.Code]
			if !ok {
				continue
			}
			if text := corrected(now, before, ind, old, m, m == in.Previous.Month); text != "" {
				out = append(out, Correction{Month: m, Indicator: ind, Text: fmt.Sprintf("%s（%s）%s%s", ind.Name, ind.Project.Lead.Name, m.Chinese(), text)})
			}
		}
	}
	return out
}

func corrected(now, before *landmark.Record, ind, old *landmark.Indicator, m landmark.Month, own bool) string {
	v, has := now.Value(ind.ID, m)
	w, had := before.Value(old.ID, m)
	a, b := now.Assess(ind, m), before.Assess(old, m)
	turned := ""
	if a.Light != b.Light {
		turned = fmt.Sprintf("，状态由%s更正为%s", b.Light.Chinese(), a.Light.Chinese())
	}
	switch {
	case has && !had:
		return fmt.Sprintf("数据补报为%s%s", valueText(a, &v), turned)
	case has && had && (v.Step != w.Step || v.Amount.Valid != w.Amount.Valid || v.Amount.Valid && !v.Amount.Decimal.Equal(w.Amount.Decimal)):
		text := fmt.Sprintf("数据由%s更正为%s%s", valueText(b, &w), valueText(a, &v), turned)
		if reason := oneLine(v.Reason); reason != "" {
			text += "（" + reason + "）"
		}
		return text
	case own && turned != "":
		return turned[len("，"):]
	default:
		return ""
	}
}
