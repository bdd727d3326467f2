// Package seeds holds the published plan that an empty database starts with,
// as the files `landmark plan import` takes.
package seeds

import _ "embed" // the files below

// What is not in the table: its title, name in addresses and day of publication.
const (
	Title     = "桐乡市2023年共同富裕十大标志性成果"
	Slug      = "tongxiang-2023"
	City      = "桐乡市"
	Published = "2023-05-31"
)

// Table is the office's table, byte for byte as published.
//
//go:embed tongxiang-2023.txt
var Table []byte

// Details says of the thirty indicators what the table does not: kind, unit,
// how often measured, whether the lead department has confirmed it. Reviewed by
// a person; edited when a department answers.
//
//go:embed tongxiang-2023.csv
var Details []byte

// Departments are the table's departments with their slugs, protocol order and
// the other names they are printed under.
//
//go:embed departments.csv
var Departments []byte
