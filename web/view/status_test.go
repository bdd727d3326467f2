package view

import (
	"strings"
	"testing"

	"landmark/internal/landmark"
)

func TestStatusBadgeSaysItsWord(t *testing.T) {
	t.Parallel()
	for _, l := range landmark.Lights {
		if html := render(t, StatusBadge(l)); !strings.Contains(html, ">"+l.Chinese()+"<") {
			t.Errorf("badge of %q has no word: %s", l, html)
		}
	}
}
