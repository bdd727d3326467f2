// Package bulletin turns a month's judged figures into the office's bulletin
// (通报): a draft whose words can be edited while its figures stay bound to
// data, a self-check that names every fault, a file in the layout of GB/T
// 9704-2012, and the frozen issue. Chase letters (催办函) are made the same way.
//
// A draft is a list of blocks. A block's template is plain text with named
// figures in double braces: 滞后{{behind}}项. [Draft] writes the templates the
// office starts from, puts its own texts in their place by key, and resolves
// the figures; [Check] recomputes every figure from the data and compares.
package bulletin
