package seeds

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"testing"
)

// TestTableAsPublished guards the published bytes against editors that add a
// final line end or change quotes.
func TestTableAsPublished(t *testing.T) {
	t.Parallel()
	const want = "074eea32e59904d0275ef21a369cd3b198669b89fc3803431e525c57708a52e0"
	sum := sha256.Sum256(Table)
	if got := hex.EncodeToString(sum[:]); got != want {
		t.Errorf("the table's SHA-256 is %s, want %s", got, want)
	}
	for name, file := range map[string][]byte{"details": Details, "departments": Departments} {
		if bytes.ContainsAny(file, "\r") || !bytes.HasSuffix(file, []byte("\n")) {
			t.Errorf("%s: line ends are not plain LF", name)
		}
	}
}
