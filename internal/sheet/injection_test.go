package sheet_test

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"github.com/xuri/excelize/v2"

	"landmark/internal/landmark"
	"landmark/internal/sheet"
)

// live says whether a spreadsheet would run a CSV cell.
func live(cell string) bool {
	lead := []rune(strings.TrimLeft(cell, " \u00a0\u3000"))
	if len(lead) == 0 || !strings.ContainsRune("=+-@\t\r\n＝＋－＠", lead[0]) {
		return false
	}
	_, err := decimal.NewFromString(cell)
	return err != nil || cell[0] != '-' || strings.ContainsAny(cell, "eE")
}

// A plan's details are made of texts the office types, and read back as typed.
func TestDetailsInjection(t *testing.T) {
	t.Parallel()
	back := 0
	for _, payload := range injections {
		payload = strings.NewReplacer("|", "", ";", "").Replace(payload) // what parts steps and curves
		if strings.TrimSpace(payload) != payload || strings.ContainsAny(payload, "\t\r\n") {
			continue // not a unit or a step: blanks are trimmed before it is kept
		}
		plan := seedPlan(t)
		unit, steps := plan.Indicators()[0], plan.Indicators()[1]
		unit.Unit = payload
		steps.Steps[0].Name = payload
		var out bytes.Buffer
		if err := sheet.WriteDetails(&out, plan); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(out.String(), "\ufeff"))).ReadAll()
		if err != nil {
			t.Fatalf("%q: %v", payload, err)
		}
		for _, row := range rows {
			for _, cell := range row {
				if live(cell) {
					t.Errorf("%q: the file holds live text %q", payload, cell)
				}
			}
		}
		if len([]rune(payload)) > 20 || strings.Contains(payload, "=") {
			continue // too long for a unit, or read as a step's meaning: refused on the way in
		}
		back++
		details, err := sheet.ReadDetails(&out)
		if err != nil {
			t.Errorf("%q: %v", payload, err)
			continue
		}
		if got := details[unit.Code].Unit; got != payload {
			t.Errorf("unit %q came back as %q", payload, got)
		}
		if diff := cmp.Diff(steps.Steps, details[steps.Code].Steps); diff != "" {
			t.Errorf("%q: steps (-want +got):\n%s", payload, diff)
		}
	}
	if back < 10 {
		t.Errorf("only %d payloads were read back", back)
	}
}

// Every text of the indicators' workbook stays text, and as it was typed.
func TestIndicatorsXLSXInjection(t *testing.T) {
	t.Parallel()
	for _, payload := range injections {
		board := seedBoard(t)
		a := board.Assessments()[0]
		ind := a.Indicator
		board.Record.Plan.Title = payload
		ind.Name, ind.Unit, ind.Project.Name, ind.Project.Lead.Name = payload, payload, payload, payload
		ind.BaselineText, ind.Baseline = payload, decimal.NullDecimal{}
		ind.Targets[0] = landmark.Target{Text: payload}
		ind.Kind, ind.Measured = landmark.Qualitative, landmark.Monthly
		board.Record.Values[ind.ID] = []landmark.Value{{Month: board.Month, Step: payload}}
		board.Record.Overrides[ind.ID] = []landmark.Override{{From: board.Month, Until: board.Month, Light: landmark.OnTrack, Reason: payload}}
		var out bytes.Buffer
		if err := sheet.WriteIndicatorsXLSX(&out, board.Record.Board(board.Month)); err != nil {
			t.Fatal(err)
		}
		for name, part := range unpacked(t, out.Bytes()) {
			if strings.Contains(part, "<f>") || strings.Contains(part, "<f ") {
				t.Errorf("%q: %s holds a formula", payload, name)
			}
		}
		f, err := excelize.OpenReader(&out)
		if err != nil {
			t.Fatalf("%q: %v", payload, err)
		}
		clean := strings.NewReplacer("\r", "", "\n", "", "\t", "")
		if got, err := f.GetCellValue("指标", "F3"); err != nil || clean.Replace(got) != clean.Replace(payload) {
			t.Errorf("the unit %q reads %q (%v)", payload, got, err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}
