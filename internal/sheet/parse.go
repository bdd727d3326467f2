package sheet

import (
	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
)

// The forms of a cell are the domain's; these are its names for them here.

func printedNumber(text string) decimal.NullDecimal { return landmark.PrintedNumber(text) }

func splitName(printed string) (name, unit string, key bool) { return landmark.SplitName(printed) }

func parseSteps(text string) ([]landmark.Step, error) { return landmark.ParseSteps(text) }

func formatSteps(steps []landmark.Step) string { return landmark.FormatSteps(steps) }

func parseCurve(text string) ([]landmark.CurvePoint, error) { return landmark.ParseCurve(text) }

func formatCurve(points []landmark.CurvePoint) string { return landmark.FormatCurve(points) }

// plain prints a decimal with the digits it was entered with.
func plain(d decimal.Decimal) string { return landmark.Entered(d) }
