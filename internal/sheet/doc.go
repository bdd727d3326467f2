// Package sheet moves tables in and out: the office's printed text table, the
// details a person adds to it, reported values, and the sheets people open in
// Excel, WPS or LibreOffice.
//
// Everything that reads takes an untrusted file: sizes are bounded before
// anything is kept, a file with a fault is refused whole, and every fault is
// listed with its row and column ([Faults]) so that one round of corrections is
// enough. Everything printed is kept character for character: what the office
// published comes out again byte for byte.
package sheet
