package search

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/stoacommerce/stoa/platform/cache"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Bounds of what is known of a store's words.
const (
	vocabularyLife  = time.Minute
	vocabularyBytes = 32 << 20
	mostKnown       = 60_000 // words of a store, the most frequent
	vocabularyTime  = 4 * time.Second
)

// Speller corrects slips of the keyboard by the words that a store's products are called by.
// It reads them when somebody finds nothing, and keeps them for a minute.
type Speller struct {
	db   *postgres.DB
	kept *cache.Cache[*vocabulary]
}

// NewSpeller makes a Speller of the stores behind a door.
func NewSpeller(db *postgres.DB) *Speller {
	return &Speller{db, cache.New[*vocabulary](vocabularyLife, vocabularyBytes)}
}

// vocabulary are the words of a store, in their order, and in how many products they are.
type vocabulary struct {
	words  []string
	counts []int
}

// Size implements cache.Sized.
func (v *vocabulary) Size() int { return 32*len(v.words) + 256 }

// The words are counted by a hash: ts_stat keeps them in a tree that it does not balance, and
// numbers that ascend, of which catalogues are full, make it a list.
const vocabularySQL = `select coalesce(string_agg(w.word || ' ' || w.n, E'\n'), '') from (
	select word, count(*) as n from product_words, unnest(tsvector_to_array(names)) word
	where active and length(word) between 3 and 32 and word !~ '[0-9]' group by word order by n desc, word limit $1) w`

func (s *Speller) read(ctx context.Context) (*vocabulary, error) {
	raw, err := s.db.JSONWithin(ctx, vocabularyTime, vocabularySQL, mostKnown)
	if err != nil {
		return nil, fmt.Errorf("read a store's words: %w", err)
	}
	lines := strings.FieldsFunc(string(bytes.ToValidUTF8(raw, nil)), func(c rune) bool { return c == '\n' })
	sort.Strings(lines)
	v := &vocabulary{}
	for _, line := range lines {
		word, count, _ := strings.Cut(line, " ")
		n, _ := strconv.Atoi(count) // as Postgres wrote it
		v.words, v.counts = append(v.words, word), append(v.counts, n)
	}
	return v, nil
}

// Correct is a query with its slips corrected, for who found nothing with it; ok is whether
// there was one to correct. Where the store's words cannot be read, there is not.
func (s *Speller) Correct(ctx context.Context, q Query) (corrected Query, ok bool) {
	if s == nil || len(q.terms) == 0 {
		return q, false
	}
	ref, _ := postgres.StoreFrom(ctx)
	known, err := s.kept.Get(ctx, ref.Cell+"/"+strconv.FormatInt(ref.Schema, 10), s.read)
	if err != nil {
		return q, false
	}
	return known.correct(q)
}

// alternatives is how many words one may have been meant for.
const alternatives = 4

func (v *vocabulary) correct(q Query) (Query, bool) {
	terms, ok := make([]string, len(q.terms)), false
	for i, term := range q.terms {
		last := i == len(q.terms)-1
		if terms[i] = term; last {
			terms[i] += ":*"
		}
		if v.knows(term, last) {
			continue
		}
		if meant := v.near(term); len(meant) > 0 {
			terms[i], ok = "("+strings.Join(append(meant, terms[i]), " | ")+")", true
		}
	}
	q.Words = strings.Join(terms, " & ")
	return q, ok
}

// knows is whether a word is one of the store's, or the beginning of one.
func (v *vocabulary) knows(word string, beginning bool) bool {
	i, found := slices.BinarySearch(v.words, word)
	return found || beginning && i < len(v.words) && strings.HasPrefix(v.words[i], word)
}

// near are the words that one may have been meant for, the nearest and most frequent first:
// one slip away, of long words two.
func (v *vocabulary) near(word string) []string {
	letters := []rune(word)
	if len(letters) < 4 {
		return nil
	}
	most := 1
	if len(letters) >= 8 {
		most = 2
	}
	type candidate struct {
		word           string
		distance, many int
	}
	var list []candidate
	for i, other := range v.words {
		if d := len(other) - len(word); d > 4*most || d < -4*most {
			continue // too far off, however wide its letters are
		}
		if d := slips(letters, []rune(other), most); d <= most {
			list = append(list, candidate{other, d, v.counts[i]})
		}
	}
	slices.SortFunc(list, func(a, b candidate) int {
		if a.distance != b.distance {
			return a.distance - b.distance
		}
		return b.many - a.many
	})
	var words []string
	for _, c := range list[:min(len(list), alternatives)] {
		words = append(words, c.word)
	}
	return words
}

// slips is how many slips lie between two words: a letter that is wrong, missing or too many,
// or two neighbours that changed places. What is more than most is some number above it.
func slips(a, b []rune, most int) int {
	if len(a)-len(b) > most || len(b)-len(a) > most {
		return most + 1
	}
	var before, above []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, above, row = above, row, make([]int, len(b)+1)
		row[0] = i
		least := i
		for j := 1; j <= len(b); j++ {
			wrong := 1
			if a[i-1] == b[j-1] {
				wrong = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+wrong)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
			least = min(least, row[j])
		}
		if least > most {
			return most + 1
		}
	}
	return row[len(b)]
}
