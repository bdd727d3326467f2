package view

import (
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
)

// mark is a light's short name in the style sheet (data-s).
func mark(l landmark.Light) string {
	switch l {
	case landmark.Critical:
		return "bad"
	case landmark.Behind:
		return "late"
	case landmark.Unreported:
		return "none"
	case landmark.OnTrack:
		return "ok"
	case landmark.Done:
		return "done"
	case landmark.NotDue:
		return "wait"
	default:
		return "na"
	}
}

// Minus writes a plain number with the true minus sign.
func Minus(s string) string { return strings.Replace(s, "-", "−", 1) }

// Number prints an amount as it was entered, without thousands separators.
func Number(d decimal.Decimal) string { return Minus(d.String()) }

// Amount prints an amount that may be absent with the decimals it was entered
// with: 25.20 stays 25.20. Absent is a dash, never zero.
func Amount(d decimal.NullDecimal) string {
	if !d.Valid {
		return "—"
	}
	return Minus(landmark.Entered(d.Decimal))
}

// Percent prints a ratio in percent with places decimals, without the sign.
func Percent(r landmark.Ratio, places int32) string {
	if !r.Present() {
		return "—"
	}
	return Minus(r.Percent(places).StringFixed(places))
}

// Points prints a gap in whole percentage points with its sign: −13, +3, 0.
func Points(r landmark.Ratio) string { return points(r, 0) }

// PointsFine prints a gap with one decimal.
func PointsFine(r landmark.Ratio) string { return points(r, 1) }

func points(r landmark.Ratio, places int32) string {
	if !r.Present() {
		return "—"
	}
	d := r.Percent(places)
	switch {
	case d.IsPositive():
		return "+" + d.StringFixed(places)
	default:
		return Minus(d.StringFixed(places))
	}
}

// ValueText is what an approved value says: its number, or its step.
func ValueText(v *landmark.Value) string {
	switch {
	case v == nil:
		return "—"
	case v.Step != "":
		return v.Step
	default:
		return Amount(v.Amount)
	}
}

// TargetText is a target as printed.
func TargetText(t landmark.Target) string {
	if t.Amount.Valid {
		return strings.TrimRight(t.Text, "%‰")
	}
	return t.Text
}

// Day prints a moment's day without the year: 10月12日.
func Day(t time.Time) string { return t.Format("1月2日") }

// Clock prints a moment without the year: 10月12日 09:30.
func Clock(t time.Time) string { return t.Format("1月2日 15:04") }

// Moment prints a moment with the year: 2023年10月12日 09:30.
func Moment(t time.Time) string { return t.Format("2006年1月2日 15:04") }

// iso is a moment for a machine, in a time element.
func iso(t time.Time) string { return t.Format(time.RFC3339) }
