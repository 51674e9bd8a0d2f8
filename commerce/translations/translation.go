package translations

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/stoacommerce/stoa/platform/locales"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// State is how far a thing is translated.
type State string

// The states, the least first.
const (
	Missing  State = "missing"  // nothing of it
	Partial  State = "partial"  // some
	Outdated State = "outdated" // what it was translated from has changed since
	Complete State = "complete"
)

// Translation is what a thing is called in a locale. Its JSON is that of the contract.
type Translation struct {
	ResourceID string   `json:"resource_id"`
	Resource   Resource `json:"resource"`
	Locale     string   `json:"locale"`
	State      State    `json:"state"`
	Texts      []Text   `json:"texts"`

	Version int `json:"-"` // of the thing's texts in the locale, from 1
}

// Text is one text of a thing, as it is written and as it is translated.
type Text struct {
	Key         string  `json:"key"`
	Source      string  `json:"source"`
	Translation *string `json:"translation"`
	Outdated    bool    `json:"outdated"` // the source is not what was translated
}

// written is a text as a thing has it, with what a translation of it may be.
type written struct {
	key, source, form string
	most              int
}

// UnmarshalJSON reads what a kind's SQL gives.
func (w *written) UnmarshalJSON(raw []byte) error {
	return json.Unmarshal(raw, &[]any{&w.key, &w.source, &w.form, &w.most})
}

// entry is what is kept of a thing's texts in a locale.
type entry struct {
	Version int               `json:"version"`
	Texts   map[string]string `json:"texts"`
	Sources map[string]string `json:"sources"` // digests of what was translated
}

// digest tells whether a text has changed.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:4])
}

// thing is a row as it is read.
type thing struct {
	ID    string    `json:"id"`
	Texts []written `json:"texts"`
	Entry *entry    `json:"entry"`
}

func (k kind) thingJSON() string {
	return `json_build_object('id', ` + k.id + `, 'texts', ` + k.texts + `, 'entry', x.translations->$1::text)`
}

// translation is what a thing of an ID is called in a locale.
func (t thing) translation(k kind, id, locale string) Translation {
	e := t.Entry
	if e == nil {
		e = &entry{}
	}
	out := Translation{ResourceID: id, Resource: k.resource, Locale: locale, Texts: []Text{}, Version: e.Version + 1}
	there, missing, outdated := 0, 0, 0
	for _, w := range t.Texts {
		said := Text{Key: w.key, Source: w.source}
		if translated, ok := e.Texts[w.key]; ok {
			said.Translation, said.Outdated = &translated, e.Sources[w.key] != digest(w.source)
			there++
		} else if w.source != "" {
			missing++
		}
		if said.Outdated {
			outdated++
		}
		out.Texts = append(out.Texts, said)
	}
	switch {
	case outdated > 0:
		out.State = Outdated
	case missing == 0:
		out.State = Complete
	case there > 0:
		out.State = Partial
	default:
		out.State = Missing
	}
	return out
}

// empty says whether there is nothing to translate.
func (t Translation) empty() bool {
	return !slices.ContainsFunc(t.Texts, func(text Text) bool { return text.Source != "" || text.Translation != nil })
}

// offered is a locale that a store is translated into.
type offered struct {
	Locale string `json:"locale"`
}

// known gives a locale's canonical name, if it is one that the store is translated into.
func known(locale string, list []offered) (string, error) {
	name, ok := locales.Parse(locale)
	if !ok || !slices.Contains(list, offered{name}) {
		return "", problem.New(problem.Unprocessable, "unknown_locale", "The store is not translated into this locale.").
			At("/locale", "unknown", "It is none of the store’s locales beside the one that it is written in.")
	}
	return name, nil
}

// canonical is a locale's name as it is kept, for statements that look whether it is known as
// they read.
func canonical(locale string) string {
	if name, ok := locales.Parse(locale); ok {
		return name
	}
	return locale
}

// here says whether a store's ID is that of the context's store.
func here(ctx context.Context, k kind, id string) bool {
	ref, ok := postgres.StoreFrom(ctx)
	return k.resource != "store" || ok && ref.ID == id
}

// Read is what the thing of an ID is called in a locale, as far as it is.
func Read(ctx context.Context, from postgres.Source, locale, id string) (Translation, error) {
	k, _, ok := kindOf(id)
	if !ok || !here(ctx, k, id) {
		return Translation{}, problem.Missing("thing that is translated")
	}
	o, err := from.Object(ctx, `select 0 || E'\n' || json_build_object('locales', s.locales, 'thing', `+k.thingJSON()+`)
		from settings s cross join `+k.table+` x where `+k.id+` = $2`, canonical(locale), k.row(id))
	if o, err = postgres.Found(o, err, "thing that is translated"); err != nil {
		return Translation{}, err
	}
	var read struct {
		Locales []offered `json:"locales"`
		Thing   thing     `json:"thing"`
	}
	if err := json.Unmarshal(o.Data, &read); err != nil {
		return Translation{}, fmt.Errorf("read translations of %s: %w", id, err)
	}
	name, err := known(locale, read.Locales)
	if err != nil {
		return Translation{}, err
	}
	return read.Thing.translation(k, id, name), nil
}

// Filter says which translations are wanted.
type Filter struct {
	Locale   string
	Resource Resource
	State    State // any when empty
	After    string
	Limit    int
}

// How many things are looked at to find those in a state: a page may be shorter than it was
// asked for, and not the last.
const (
	batch    = 100
	mostSeen = 1000
)

// List is a page of translations of the things of a resource, the oldest first, without those
// that have no text, and the position of the next page.
func List(ctx context.Context, db *postgres.DB, f Filter) (page []Translation, next string, err error) {
	at := slices.IndexFunc(kinds, func(k kind) bool { return k.resource == f.Resource })
	if at < 0 {
		return nil, "", fmt.Errorf("there are no translations of each %s", f.Resource)
	}
	k := kinds[at]
	page = []Translation{}
	for seen := 0; seen < mostSeen; seen += batch {
		raw, err := db.JSON(ctx, `select json_build_object('locales', s.locales, 'things', (
			select coalesce(json_agg(`+k.thingJSON()+` order by x.id), '[]') from (
				select x.* from `+k.table+` x where `+k.shown+` and `+k.id+` > $2 order by x.id limit $3::int) x)) from settings s`,
			canonical(f.Locale), f.After, batch)
		if err != nil {
			return nil, "", fmt.Errorf("list translations: %w", err)
		}
		var read struct {
			Locales []offered `json:"locales"`
			Things  []thing   `json:"things"`
		}
		if err := json.Unmarshal(raw, &read); err != nil {
			return nil, "", fmt.Errorf("list translations: %w", err)
		}
		name, err := known(f.Locale, read.Locales)
		if err != nil {
			return nil, "", err
		}
		for i, t := range read.Things {
			id := t.ID
			if k.resource == "store" {
				ref, _ := postgres.StoreFrom(ctx)
				id = ref.ID
			}
			f.After = t.ID
			translation := t.translation(k, id, name)
			if translation.empty() || f.State != "" && translation.State != f.State {
				continue
			}
			page = append(page, translation)
			if more := i < len(read.Things)-1 || len(read.Things) == batch; len(page) == f.Limit && more {
				return page, f.After, nil
			}
		}
		if len(read.Things) < batch {
			return page, "", nil
		}
	}
	return page, f.After, nil
}
