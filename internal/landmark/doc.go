// Package landmark is the meaning of a city's annual plan of landmark
// achievements (年度方案·标志性成果), and nothing else: no clock, no database,
// no page.
//
// A city publishes a [Plan] each year: a table of projects, each led by one
// department and measured by indicators with the value of the year before
// (baseline) and the aim for this year (target). Every month each lead
// department reports what its indicators had reached by the month's last day.
// The city office approves. From the approved values, [Record.Assess] decides
// a [Light] for every indicator and month and says in one Chinese sentence
// why: that rule lives here and nowhere else.
//
// What a department types is read by [ParseAmount] and held against the rules by
// [CheckReport]; how it keeps the dates is its [Discipline]; where the year will
// end is the [Outlook].
//
// What a reported value means depends on the indicator's [Kind], which a
// person enters and nobody guesses. Amounts are decimals, quotients are exact
// fractions ([Ratio]); rounding happens only for print, half away from zero.
package landmark
