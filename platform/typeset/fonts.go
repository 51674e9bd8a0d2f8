package typeset

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"eliasnaur.com/font/noto/sans/arabic/bold"
	"eliasnaur.com/font/noto/sans/arabic/regular"
	japanese "eliasnaur.com/font/noto/sans/jp/regular"
	"eliasnaur.com/font/roboto/robotobold"
	"eliasnaur.com/font/roboto/robotoregular"
	"github.com/carlos7ags/folio/font"
	shaped "github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"
	"github.com/go-text/typesetting/font/opentype/tables"
)

// Fonts are the fonts that text is set in: those that the program brings along, for Latin,
// Greek, Cyrillic, Arabic and Japanese, and those of a directory for everything else. Fonts
// are safe for concurrent use; a font of the directory is read when a text first needs it.
type Fonts struct {
	own []*family
	dir string

	found func() ([]*family, error) // the directory's
}

// family is a font in its weights. A family without bold letters has them drawn thicker.
type family struct {
	name          string
	regular, bold *source
}

// source is one font, parsed once for shaping and once for writing.
type source struct {
	covers func(rune) bool
	parse  func() (*parsed, error)
}

type parsed struct {
	shaping *shaped.Font
	writing font.Face
}

// OpenFonts are the fonts of the program and, where dir is not empty, those below it. The
// directory is looked at when a character is in none of the program's own.
func OpenFonts(dir string) (*Fonts, error) {
	f := &Fonts{dir: dir}
	f.found = sync.OnceValues(func() ([]*family, error) { return search(f.dir) })
	for _, own := range []struct {
		name          string
		regular, bold []byte
	}{
		{"Roboto", robotoregular.TTF, robotobold.TTF},
		{"Noto Sans Arabic", regular.TTF, bold.TTF},
		{"Noto Sans JP", japanese.TTF, nil},
	} {
		added := &family{name: own.name}
		var err error
		if added.regular, err = brought(own.regular); err != nil {
			return nil, fmt.Errorf("open %s: %w", own.name, err)
		}
		if own.bold != nil {
			if added.bold, err = brought(own.bold); err != nil {
				return nil, fmt.Errorf("open %s Bold: %w", own.name, err)
			}
		}
		f.own = append(f.own, added)
	}
	if dir == "" {
		return f, nil
	}
	if _, err := os.Stat(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open the directory of fonts: %w", err)
	}
	return f, nil
}

// brought is a font that is held in memory.
func brought(data []byte) (*source, error) {
	covers, err := coverage(bytes.NewReader(data), true)
	if err != nil {
		return nil, err
	}
	return &source{covers, sync.OnceValues(func() (*parsed, error) { return parse(data) })}, nil
}

func parse(data []byte) (*parsed, error) {
	faces, err := shaped.ParseTTC(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("parse a font: %w", err)
	}
	writing, err := font.ParseFont(data)
	if err == nil {
		writing, err = numbered(writing)
	}
	if err != nil {
		return nil, fmt.Errorf("parse a font: %w", err)
	}
	return &parsed{faces[0].Font, writing}, nil
}

// errUnfit says that text cannot be set in a font.
var errUnfit = errors.New("the font has no outlines that can be set")

// coverage says which characters a font has, or the first of a collection. Outlines of
// PostScript's kind are taken only where they are known to be keyed by glyph.
func coverage(file opentype.Resource, keyed bool) (func(rune) bool, error) {
	loaders, err := opentype.NewLoaders(file)
	if err != nil {
		return nil, err
	}
	font := loaders[0]
	if !font.HasTable(opentype.MustNewTag("glyf")) && !(keyed && font.HasTable(opentype.MustNewTag("CFF "))) || font.HasTable(opentype.MustNewTag("fvar")) {
		return nil, errUnfit
	}
	raw, err := font.RawTable(opentype.MustNewTag("cmap"))
	if err != nil {
		return nil, err
	}
	table, _, err := tables.ParseCmap(raw)
	if err != nil {
		return nil, err
	}
	cmap, _, err := shaped.ProcessCmap(table, tables.FPNone)
	if err != nil {
		return nil, err
	}
	return func(r rune) bool { glyph, ok := cmap.Lookup(r); return ok && glyph != 0 }, nil
}

// search finds the families of a directory: Noto's sans serif ones first, for the program's
// own go with them, then by name. What is no font, or none that text can be set in, is passed
// over.
func search(dir string) ([]*family, error) {
	if dir == "" {
		return nil, nil
	}
	paths := map[string]bool{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		switch strings.ToLower(filepath.Ext(path)) {
		case ".ttf", ".otf", ".ttc":
			paths[path] = err == nil && !entry.IsDir()
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for fonts: %w", err)
	}
	var found []*family
	for path, file := range paths {
		name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		plain, weighed := strings.CutSuffix(name, "-Regular")
		if !file || !weighed && strings.Contains(name, "-") {
			continue // another weight of a family
		}
		heavy := filepath.Join(filepath.Dir(path), plain+"-Bold"+filepath.Ext(path))
		added := &family{name: plain, regular: installed(path)}
		if added.regular == nil {
			continue
		}
		if paths[heavy] {
			added.bold = installed(heavy)
		}
		found = append(found, added)
	}
	slices.SortFunc(found, func(a, b *family) int {
		if first := rank(a.name) - rank(b.name); first != 0 {
			return first
		}
		return strings.Compare(a.name, b.name)
	})
	return found, nil
}

func rank(name string) int {
	switch {
	case strings.HasPrefix(name, "NotoSans"):
		return 0
	case strings.HasPrefix(name, "Noto"):
		return 1
	default:
		return 2
	}
}

// installed is a font of the directory, nil where it is of no use.
func installed(path string) *source {
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	covers, err := coverage(file, strings.Contains(filepath.Base(path), "CJK"))
	if errors.Join(err, file.Close()) != nil {
		return nil
	}
	return &source{covers, sync.OnceValues(func() (*parsed, error) {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read a font: %w", err)
		}
		return parse(data)
	})}
}

// with is the first family that has a character, nil if there is none.
func (f *Fonts) with(r rune) (*family, error) {
	for _, own := range f.own {
		if own.regular.covers(r) {
			return own, nil
		}
	}
	found, err := f.found()
	for _, other := range found {
		if other.regular.covers(r) {
			return other, err
		}
	}
	return nil, err
}
