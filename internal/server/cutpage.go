package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"sync"

	"github.com/klauspost/compress/flate"
)

// A kept page is cut where it speaks to one person, and put together again for
// each: the pieces between the cuts are compressed once. A gzip file of several
// members would do the same, but browsers read only the first; here the pieces
// are blocks of one stream, what is filled in stands between them uncompressed,
// and the checksum of the whole is worked out from those of the pieces.

// cutPage is a page in pieces. It is never changed.
type cutPage struct {
	pieces       []piece
	blanks       []int // which text stands after each piece but the last
	cacheControl string
	plan         int64    // whose chases are shown; 0: none
	sum          [32]byte // of the pieces and where they were cut
	length       int
}

// piece is bytes between two cuts.
type piece struct {
	plain    []byte
	deflated []byte // ends with a whole byte and without the mark of the stream's end
	crc      uint32
	shift    crcShift
}

// cut takes a page apart at marks; the n-th mark is where the n-th text goes.
func cut(page []byte, marks []string) (*cutPage, error) {
	c := &cutPage{}
	sum := sha256.New()
	for {
		at, which := -1, 0
		for i, mark := range marks {
			if j := bytes.Index(page, []byte(mark)); j >= 0 && (at < 0 || j < at) {
				at, which = j, i
			}
		}
		end := at
		if at < 0 {
			end = len(page)
		}
		p, err := newPiece(page[:end])
		if err != nil {
			return nil, err
		}
		c.pieces = append(c.pieces, p)
		c.length += end
		_, _ = fmt.Fprintf(sum, "%d:%s%d;", end, page[:end], which) // a hash takes everything
		if at < 0 {
			c.sum = [32]byte(sum.Sum(nil))
			return c, nil
		}
		c.blanks = append(c.blanks, which)
		page = page[at+len(marks[which]):]
	}
}

// deflaters are writers for pieces. Making one takes longer than using it.
var deflaters sync.Pool

func newPiece(plain []byte) (_ piece, err error) {
	var b bytes.Buffer
	w, ok := deflaters.Get().(*flate.Writer)
	if ok {
		w.Reset(&b)
	} else if w, err = flate.NewWriter(&b, flate.BestCompression); err != nil {
		return piece{}, fmt.Errorf("compress: %w", err)
	}
	defer deflaters.Put(w)
	if _, err = w.Write(plain); err == nil {
		err = w.Flush() // not Close: the stream goes on
	}
	if err != nil {
		return piece{}, fmt.Errorf("compress: %w", err)
	}
	return piece{plain: bytes.Clone(plain), deflated: slices.Clip(b.Bytes()), crc: crc32.ChecksumIEEE(plain), shift: newCRCShift(len(plain))}, nil
}

func (c *cutPage) size() int {
	n := 0
	for _, p := range c.pieces {
		n += len(p.plain) + len(p.deflated) + 200
	}
	return n
}

// plain puts the page together, behind out.
func (c *cutPage) plain(out []byte, texts []string) []byte {
	n := c.length
	for _, which := range c.blanks {
		n += len(texts[which])
	}
	out = slices.Grow(out, n)
	for i, p := range c.pieces {
		out = append(out, p.plain...)
		if i < len(c.blanks) {
			out = append(out, texts[c.blanks[i]]...)
		}
	}
	return out
}

// gzipped puts the page together as a gzip file, behind out.
func (c *cutPage) gzipped(out []byte, texts []string) []byte {
	n := 64
	for _, p := range c.pieces {
		n += len(p.deflated)
	}
	for _, which := range c.blanks {
		n += len(texts[which]) + 5*(1+len(texts[which])/maxStored)
	}
	out = append(slices.Grow(out, n), 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255) // RFC 1952: deflate, no name, no time
	var crc uint32
	length := 0
	for i, p := range c.pieces {
		out = append(out, p.deflated...)
		crc = p.shift.apply(crc) ^ p.crc
		length += len(p.plain)
		if i < len(c.blanks) {
			text := texts[c.blanks[i]]
			out = appendStored(out, text)
			crc = crc32.Update(crc, crc32.IEEETable, []byte(text))
			length += len(text)
		}
	}
	out = append(out, 1, 0, 0, 0xff, 0xff) // an empty last block
	out = binary.LittleEndian.AppendUint32(out, crc)
	return binary.LittleEndian.AppendUint32(out, uint32(length))
}

// maxStored is how much an uncompressed block can hold.
const maxStored = 1<<16 - 1

// appendStored adds text as uncompressed blocks (RFC 1951, 3.2.4).
func appendStored(out []byte, text string) []byte {
	for len(text) > 0 {
		n := min(len(text), maxStored)
		out = append(out, 0)
		out = binary.LittleEndian.AppendUint16(out, uint16(n))
		out = binary.LittleEndian.AppendUint16(out, ^uint16(n))
		out = append(out, text[:n]...)
		text = text[n:]
	}
	return out
}

// tag names exactly these bytes; compressed they are others and have another name.
func (c *cutPage) tag(texts []string, gzip bool) string {
	said := make([]byte, 0, 512)
	said = append(said, c.sum[:]...)
	for _, which := range c.blanks {
		said = strconv.AppendInt(said, int64(len(texts[which])), 10)
		said = append(append(said, ':'), texts[which]...)
	}
	sum := sha256.Sum256(said)
	tag := make([]byte, 0, 40)
	tag = hex.AppendEncode(append(tag, '"'), sum[:16])
	if gzip {
		tag = append(tag, "-gz"...)
	}
	return string(append(tag, '"'))
}

// crcShift says what becomes of a CRC-32 when so many bytes of zero follow: a
// matrix over the field of two elements, by columns. With it the checksum of two
// pieces one after the other comes from those of each, as M. Adler's zlib does.
type crcShift [32]uint32

func newCRCShift(length int) crcShift {
	// One bit of zero: shift, and the polynomial for the bit that falls out.
	var power, shift crcShift
	power[0] = crc32.IEEE
	for i := 1; i < 32; i++ {
		power[i] = 1 << (i - 1)
	}
	for range 3 { // one byte
		power = power.after(power)
	}
	for i := range shift {
		shift[i] = 1 << i
	}
	for ; length > 0; length >>= 1 {
		if length&1 == 1 {
			shift = power.after(shift)
		}
		power = power.after(power)
	}
	return shift
}

// after is s applied to what other makes.
func (s crcShift) after(other crcShift) crcShift {
	var out crcShift
	for i, column := range other {
		out[i] = s.apply(column)
	}
	return out
}

func (s *crcShift) apply(crc uint32) uint32 {
	var out uint32
	for i := 0; crc != 0; i, crc = i+1, crc>>1 {
		if crc&1 == 1 {
			out ^= s[i]
		}
	}
	return out
}
