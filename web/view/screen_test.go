package view

import (
	"slices"
	"testing"
)

func TestAllotSharesLines(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		wants []int
		want  []int
	}{
		{"all fit", []int{2, 4, 3}, []int{2, 4, 3}},
		{"behind is cut", []int{2, 9, 1}, []int{2, 5, 1}},
		{"critical first", []int{12, 9, 8}, []int{4, 1, 1}},
		{"a missing list leaves its head's room", []int{0, 12, 0}, []int{0, 12, 0}},
		{"nothing", []int{0, 0, 0}, []int{0, 0, 0}},
	} {
		got := allot(screenLines, c.wants...)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}
