package reporting

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"path"
	"strings"
	"unicode"
	"unicode/utf16"

	"landmark/internal/landmark"
	"landmark/internal/store"
)

// Upload is a file as it came in. Its type is read from its content; the sender's
// word for it is not asked.
type Upload struct {
	Name    string
	Content []byte
}

// MaxFile is how large a file may be, in bytes.
const MaxFile = 20 << 20

// MaxFileName is how long a file's name may be, in characters.
const MaxFileName = 200

func (u Upload) sum() [32]byte { return sha256.Sum256(u.Content) }

// is says whether a kept file is this one.
func (u Upload) is(e store.EvidenceFile) bool {
	sum := u.sum()
	return e.Name == u.name() && bytes.Equal(e.SHA256, sum[:])
}

// name is the file's name without path, control characters and what does not
// show, at most MaxFileName characters with the ending kept.
func (u Upload) name() string {
	name := strings.ToValidUTF8(u.Name, "")
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune(`<>:"|?*`, r) {
			return -1
		}
		if unicode.IsSpace(r) {
			return ' '
		}
		return r
	}, name)
	name = strings.Trim(name, " .")
	if name == "" || name == "/" {
		name = "未命名"
	}
	if r := []rune(name); len(r) > MaxFileName {
		end := []rune(path.Ext(name))
		if len(end) > 10 {
			end = nil
		}
		name = string(r[:MaxFileName-len(end)]) + string(end)
	}
	return name
}

// Types of evidence.
const (
	typePDF  = "application/pdf"
	typePNG  = "image/png"
	typeJPEG = "image/jpeg"
	typeDOC  = "application/msword"
	typeXLS  = "application/vnd.ms-excel"
	typeDOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	typeXLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	typePPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
)

// mediaType reads a file's type from its content, empty for one that is not taken.
func (u Upload) mediaType() string {
	c := u.Content
	switch {
	case bytes.HasPrefix(c, []byte("%PDF-")):
		return typePDF
	case bytes.HasPrefix(c, []byte("\x89PNG\r\n\x1a\n")):
		return typePNG
	case bytes.HasPrefix(c, []byte("\xff\xd8\xff")):
		return typeJPEG
	case bytes.HasPrefix(c, []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")):
		return oleType(c)
	case bytes.HasPrefix(c, []byte("PK\x03\x04")):
		return officeType(c)
	}
	return ""
}

// maxParts is how many parts an Office file may hold. Only their names are read,
// nothing is unpacked.
const maxParts = 4096

// officeType tells the Office formats in a zip apart. One with macros, or a zip of
// anything else, has no type.
func officeType(c []byte) string {
	z, err := zip.NewReader(bytes.NewReader(c), int64(len(c)))
	if err != nil || len(z.File) > maxParts {
		return ""
	}
	kind, content := "", false
	for _, f := range z.File {
		name := strings.ToLower(f.Name)
		switch {
		case strings.HasSuffix(name, "vbaproject.bin"):
			return ""
		case f.Name == "[Content_Types].xml":
			content = true
		case name == "word/document.xml":
			kind = typeDOCX
		case name == "xl/workbook.xml":
			kind = typeXLSX
		case name == "ppt/presentation.xml":
			kind = typePPTX
		}
	}
	if !content {
		return ""
	}
	return kind
}

// oleType tells the old Office formats apart by the name of their main stream in
// the directory, which is kept in UTF-16. With macros they have no type.
func oleType(c []byte) string {
	holds := func(stream string) bool {
		var b []byte
		for _, u := range utf16.Encode([]rune(stream)) {
			b = append(b, byte(u), byte(u>>8))
		}
		return bytes.Contains(c, append(b, 0, 0))
	}
	switch {
	case holds("_VBA_PROJECT"), holds("EncryptedPackage"):
		return ""
	case holds("WordDocument"):
		return typeDOC
	case holds("Workbook"), holds("Book"):
		return typeXLS
	}
	return ""
}

// check says what is wrong with a file.
func (u Upload) check() error {
	switch {
	case len(u.Content) == 0:
		return landmark.Errorf(landmark.Invalid, "evidence", "文件“%s”是空的", u.name())
	case len(u.Content) > MaxFile:
		return landmark.Errorf(landmark.Invalid, "evidence", "文件“%s”超过20 MB,请压缩或分开上传", u.name())
	case u.mediaType() == "":
		return landmark.Errorf(landmark.Invalid, "evidence", "文件“%s”不能收:只收PDF、图片(PNG、JPEG)和不带宏、没有加密的Word、Excel、PowerPoint文件", u.name())
	}
	return nil
}

// Evidence reads a file for somebody who may: of the department it belongs to, or
// of the office. Readers see figures and no files, for files name persons. To them
// it is as if the file did not exist.
func (s *Service) Evidence(ctx context.Context, u landmark.User, id int64) (store.EvidenceFile, []byte, error) {
	file, err := s.store.Evidence(ctx, id)
	if err != nil {
		return store.EvidenceFile{}, nil, err
	}
	if !u.CanSeeUnapproved(file.DepartmentID) {
		return store.EvidenceFile{}, nil, landmark.Errorf(landmark.NotFound, "", "没有这个文件")
	}
	content, err := s.store.EvidenceContent(ctx, id)
	if err != nil {
		return store.EvidenceFile{}, nil, err
	}
	return file, content, nil
}
