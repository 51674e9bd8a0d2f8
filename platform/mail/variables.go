package mail

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/stoacommerce/stoa/platform/money"
)

// Named is what is told by a name.
type Named struct {
	Name    string `json:"name"`
	Meaning string `json:"description"`
	Type    string `json:"type"`    // text, flag or list
	Example string `json:"example"` // of text
}

// Variable is what a template can tell.
type Variable struct {
	Named
	Required bool    `json:"required"` // no template may leave it out
	Items    []Named `json:"items"`    // what each item of a list can tell
}

// The types of variables.
const (
	typeText = "text"
	typeFlag = "flag"
	typeList = "list"
)

// Variables are what templates of a kind can tell, with examples as a locale has them.
func Variables(kind Kind, locale string) []Variable {
	e, _ := choose(locale)
	tell := teller{e, locale, time.UTC}
	brand := Brand{Name: "Clay and Linen", URL: "https://shop.example.com", Email: "hello@example.com"}
	return append(tell.variables(reflect.ValueOf(kinds[kind].sample)), tell.variables(reflect.ValueOf(brand))...)
}

// teller tells values in a language: money as a locale has it, and times by a zone's clocks.
type teller struct {
	*edition
	locale string
	zone   *time.Location
}

func (e teller) variables(of reflect.Value) []Variable {
	var list []Variable
	for i := range of.NumField() {
		field, value := of.Type().Field(i), of.Field(i)
		v := Variable{Named{Name: field.Tag.Get("json"), Meaning: field.Tag.Get("doc")}, field.Tag.Get("must") != "", []Named{}}
		flags := strings.Fields(field.Tag.Get("flags"))
		switch {
		case v.Name == "":
			continue
		case len(flags) > 0:
			for _, flag := range flags {
				list = append(list, Variable{Named{flag, fmt.Sprintf(v.Meaning, strings.ReplaceAll(flag, "_", " ")), typeFlag, ""}, false, v.Items})
			}
			continue
		case value.Kind() == reflect.Slice:
			v.Type = typeList
			for _, of := range e.variables(value.Index(0)) {
				v.Items = append(v.Items, of.Named)
			}
		case value.Kind() == reflect.Bool:
			v.Type = typeFlag
		default:
			v.Type, v.Example = typeText, fmt.Sprint(e.text(value, field.Tag.Get("as")))
		}
		list = append(list, v)
	}
	return list
}

// values are what a struct's variables tell: texts, numbers, flags, and lists of the same.
func (e teller) values(of reflect.Value) map[string]any {
	told := map[string]any{}
	for i := range of.NumField() {
		field, value := of.Type().Field(i), of.Field(i)
		name := field.Tag.Get("json")
		flags := strings.Fields(field.Tag.Get("flags"))
		switch {
		case name == "":
		case len(flags) > 0:
			for _, flag := range flags {
				told[flag] = value.String() == flag
			}
		case value.Kind() == reflect.Slice:
			items := make([]map[string]any, value.Len())
			for i := range items {
				items[i] = e.values(value.Index(i))
			}
			told[name] = items
		case value.Kind() == reflect.Bool:
			told[name] = value.Bool()
		default:
			told[name] = e.text(value, field.Tag.Get("as"))
		}
	}
	return told
}

// text is a value as it is read: in one line unless it is of several by its nature; a name to
// greet somebody by ("greet"), an address with its middle left out ("mask"), as many lines as
// people typed ("lines"), nothing in place of no money ("none"). A number stays one, so that
// none is told from some.
func (e teller) text(value reflect.Value, as string) any {
	switch v := value.Interface().(type) {
	case money.Money:
		if as == "none" && v.IsZero() {
			return ""
		}
		return v.Format(e.locale)
	case time.Time:
		if v.IsZero() {
			return ""
		}
		return e.say("when", v.In(e.zone))
	case Minutes:
		return e.say("minutes", int(v))
	case Hours:
		return e.say("hours", int(v))
	case Days:
		return e.say("days", int(v))
	case Address:
		return strings.Join(v.lines(), "\n")
	}
	if value.CanInt() {
		return value.Int()
	}
	switch v := value.String(); as {
	case "greet":
		return greet(v)
	case "mask":
		return mask(v)
	case "lines":
		return strings.TrimSpace(printable(v))
	default:
		return line(v)
	}
}

// say are words of the language.
func (e *edition) say(name string, of any) string {
	var out strings.Builder
	if err := e.words.ExecuteTemplate(&out, name, of); err != nil {
		// The words are the project's own, and tests say all of them.
		panic("mail: words of " + e.tag.String() + ": " + strconv.Quote(name) + ": " + err.Error())
	}
	return out.String()
}
