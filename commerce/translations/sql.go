package translations

import "fmt"

// In is the SQL of the locales that texts are shown in, an array with the nearest first; empty
// for texts as they are written.
type In string

// most is how many locales stand in for each other: those above are of no use.
const most = 3

// Said is the SQL of a thing's texts by their keys, each in the nearest locale that has it,
// of its column of translations.
func (in In) Said(column string) string {
	if in == "" {
		return `'{}'::jsonb`
	}
	all := ""
	for n := most; n >= 1; n-- { // the nearest is the last to be heard
		all += fmt.Sprintf(`coalesce(%s->((%s)[%d])->'texts', '{}')`, column, in, n)
		if n > 1 {
			all += ` || `
		}
	}
	return `case when ` + column + ` = '{}' then '{}'::jsonb else ` + all + ` end`
}

// Text is the SQL of one of the texts that are said, or of what is written where there is none.
func (in In) Text(said, key, written string) string {
	return in.Keyed(said, `'`+key+`'`, written)
}

// Keyed is Text for a key that SQL makes.
func (in In) Keyed(said, key, written string) string {
	if in == "" {
		return written
	}
	return `coalesce(` + said + `->>(` + key + `), ` + written + `)`
}

// From is what a statement's from clause says to have a thing's texts as t.said; nothing where
// they are shown as they are written.
func (in In) From(column string) string {
	if in == "" {
		return ""
	}
	return ` cross join lateral (select ` + in.Said(column) + ` as said offset 0) t`
}

// Part is the SQL of a part of a key, of a text that may have slashes in it.
func Part(text string) string {
	return `replace(replace(` + text + `, '~', '~0'), '/', '~1')`
}

// Spoken is a statement for texts as they are written and another for texts in a locale. So
// nobody pays for languages who has none.
type Spoken struct{ written, said string }

// Speak makes both; the locales are the parameter of this number, after all others.
func Speak(locales int, statement func(in In) string) Spoken {
	return Spoken{statement(""), statement(In(fmt.Sprintf("$%d::text[]", locales)))}
}

// In is the statement for locales, and its parameters.
func (s Spoken) In(locales []string, args ...any) (string, []any) {
	if len(locales) == 0 {
		return s.written, args
	}
	return s.said, append(args, locales)
}
