package landmark

import (
	"testing"
	"time"
)

func TestParseMonth(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{
		"2023-09": true, "2023-12": true, "1900-01": true,
		"": false, "2023-9": false, "2023-13": false, "2023-00": false, "1899-12": false, "2023-09-01": false, " 2023-09": false, "２０２３-09": false,
	} {
		m, err := ParseMonth(text)
		if ok != (err == nil) || ok && m.String() != text || !ok && KindOf(err) != Invalid {
			t.Errorf("ParseMonth(%q) = %s, %v", text, m, err)
		}
	}
}

func TestMonthDays(t *testing.T) {
	t.Parallel()
	for m, last := range map[Month]string{
		MonthOf(2023, 2): "2023-02-28", MonthOf(2024, 2): "2024-02-29", MonthOf(2023, 9): "2023-09-30", MonthOf(2023, 12): "2023-12-31",
	} {
		if m.LastDay().String() != last || m.LastDay().InMonth() != m || m.FirstDay().AddDays(-1).InMonth() != m-1 {
			t.Errorf("%s ends on %s, want %s", m, m.LastDay(), last)
		}
	}
}

func FuzzParseDates(f *testing.F) {
	for _, s := range []string{"2023-09", "2023-05-31", "2024-02-29", "2023-02-29", "0000-00", "9999-12-31", "done"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if m, err := ParseMonth(text); err == nil {
			if m.String() != text || MonthOf(m.Year(), m.Number()) != m {
				t.Fatalf("ParseMonth(%q) = %s", text, m)
			}
		} else if KindOf(err) != Invalid {
			t.Fatal(err)
		}
		if d, err := ParseDate(text); err == nil {
			if d.String() != text || d.AddDays(40).AddDays(-40) != d || DateOf(d.Time(shanghai)) != d {
				t.Fatalf("ParseDate(%q) = %s", text, d)
			}
		} else if KindOf(err) != Invalid {
			t.Fatal(err)
		}
		if l, err := ParseLight(text); err == nil && string(l) != text {
			t.Fatalf("ParseLight(%q) = %s", text, l)
		}
	})
}

func TestMonthsOfPlan(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		published   Date
		first       Month
		howMany     int
		newestInJan Month // on 3 January of the plan's year
	}{
		{Date{2024, 5, 31}, MonthOf(2024, 5), 8, MonthOf(2024, 5)},
		{Date{2024, 1, 1}, MonthOf(2024, 1), 12, MonthOf(2024, 1)},
		{Date{2023, 12, 20}, MonthOf(2024, 1), 12, MonthOf(2024, 1)},
		{Date{1990, 1, 1}, MonthOf(2024, 1), 12, MonthOf(2024, 1)},
	} {
		p := &Plan{Year: 2024, Published: c.published}
		if got := p.FirstMonth(); got != c.first {
			t.Errorf("published %s: first month got %s, want %s", c.published, got, c.first)
		}
		if got := len(p.Months()); got != c.howMany {
			t.Errorf("published %s: got %d months, want %d", c.published, got, c.howMany)
		}
		r := &Record{Plan: p, Zone: time.UTC, AsOf: time.Date(2024, 1, 3, 9, 0, 0, 0, time.UTC)}
		if got := r.NewestDue(); got != c.newestInJan {
			t.Errorf("published %s: newest month due got %s, want %s", c.published, got, c.newestInJan)
		}
	}
}
