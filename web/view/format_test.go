package view

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
)

func TestFormat(t *testing.T) {
	t.Parallel()
	shanghai := time.FixedZone("CST", 8*3600)
	at := time.Date(2023, 10, 12, 9, 30, 0, 0, shanghai)
	for _, c := range []struct{ name, got, want string }{
		{"number", Number(decimal.RequireFromString("13820")), "13820"},
		{"negative number", Number(decimal.RequireFromString("-3.5")), "−3.5"},
		{"absent amount", Amount(decimal.NullDecimal{}), "—"},
		{"zero amount", Amount(decimal.NewNullDecimal(decimal.Zero)), "0"},
		{"percent rounds half up", Percent(landmark.Fraction(27225, 10000), 1), "272.3"},
		{"absent percent", Percent(landmark.Ratio{}, 1), "—"},
		{"points behind", Points(landmark.Fraction(-13, 100)), "−13"},
		{"points ahead", Points(landmark.Fraction(3, 100)), "+3"},
		{"points even", Points(landmark.Fraction(0, 1)), "0"},
		{"points that round to nothing", Points(landmark.Fraction(-1, 1000)), "0"},
		{"points with a decimal", PointsFine(landmark.Fraction(-59, 1000)), "−5.9"},
		{"absent points", Points(landmark.Ratio{}), "—"},
		{"day", Day(at), "10月12日"},
		{"clock", Clock(at), "10月12日 09:30"},
		{"moment", Moment(at), "2023年10月12日 09:30"},
		{"step", ValueText(&landmark.Value{Step: "到位"}), "到位"},
		{"no value", ValueText(nil), "—"},
		{"target with sign", TargetText(landmark.Target{Text: "100%", Amount: decimal.NewNullDecimal(decimal.RequireFromString("100"))}), "100"},
		{"target in words", TargetText(landmark.Target{Text: "降幅趋缓"}), "降幅趋缓"},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, c.got, c.want)
		}
	}
	seen := map[string]bool{}
	for _, l := range landmark.Lights {
		if seen[mark(l)] {
			t.Errorf("light %q shares its mark %q with another", l, mark(l))
		}
		seen[mark(l)] = true
	}
}
