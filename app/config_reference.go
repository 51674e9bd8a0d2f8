package app

import (
	"fmt"
	"io"
	"strings"
)

// WriteReference writes what can be set, for a terminal.
func WriteReference(w io.Writer) error {
	out := &sticky{w: w}
	out.printf("Every setting is an environment variable; those that are no secrets also a flag,\n" +
		"which wins. A secret may be put in a file instead, named by VARIABLE_FILE.\n")
	for _, group := range groups {
		out.printf("\n%s\n", group)
		for i := range options {
			o := &options[i]
			if o.group != group {
				continue
			}
			out.printf("\n  %s", o.variable)
			if o.secret {
				out.printf(" (secret; or %s_FILE)\n", o.variable)
			} else {
				out.printf("  --%s\n", o.flag())
			}
			out.printf("%s\n      Value: %s\n", indent(o.doc, "      ", 80), o.form)
			out.printf("      Default: %s\n", o.defaultText())
		}
	}
	return out.err
}

// WriteMarkdown writes the same as a page of the documentation.
func WriteMarkdown(w io.Writer) error {
	out := &sticky{w: w}
	out.printf("# Configuration\n\n<!-- Generated from app/config_options.go by make generate. -->\n\n" +
		"Every setting is an environment variable; those that are no secrets also a flag, which wins. A secret may be put\n" +
		"in a file instead, named by the variable with `_FILE` at its end. `stoa config` prints what is in force, secrets\n" +
		"redacted. A value that cannot be is refused at start, all faults at once.\n")
	for _, group := range groups {
		out.printf("\n## %s\n\n| Variable | Flag | Default | Value |\n|---|---|---|---|\n", group)
		for i := range options {
			o := &options[i]
			if o.group != group {
				continue
			}
			flag := "secret, or `" + o.variable + "_FILE`"
			if !o.secret {
				flag = "`--" + o.flag() + "`"
			}
			out.printf("| `%s` | %s | %s | %s<br>%s |\n", o.variable, flag, cell(o.defaultText()), cell(o.doc), "*"+cell(o.form)+"*")
		}
	}
	return out.err
}

// WriteValues writes what is in force and where each value came from, secrets redacted.
func (c *Config) WriteValues(w io.Writer) error {
	out := &sticky{w: w}
	for _, s := range c.Settings {
		out.printf("%-28s %-44s %s\n", s.Variable, s.Value, s.Source)
	}
	for _, warning := range c.Warnings {
		out.printf("warning: %s\n", warning)
	}
	return out.err
}

// defaultText is the default for people, per environment where they differ.
func (o *option) defaultText() string {
	text := o.initial
	if text == "" {
		text = "none"
	}
	if v, ok := o.byEnvironment[Production]; ok {
		text += "; " + v + " in staging and production"
	}
	return text
}

// cell makes a text fit for a table's cell.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", ">", "&gt;", "\n", " ").Replace(text)
}

// indent breaks a text into lines.
func indent(text, prefix string, width int) string {
	var b strings.Builder
	length := 0
	for word := range strings.FieldsSeq(text) {
		switch {
		case length == 0:
			b.WriteString(prefix)
			length = len(prefix)
		case length+1+len(word) > width:
			b.WriteString("\n" + prefix)
			length = len(prefix)
		default:
			b.WriteByte(' ')
			length++
		}
		b.WriteString(word)
		length += len(word)
	}
	return b.String()
}

// sticky keeps the first error of several writes.
type sticky struct {
	w   io.Writer
	err error
}

func (s *sticky) printf(format string, args ...any) {
	if s.err == nil {
		_, s.err = fmt.Fprintf(s.w, format, args...)
	}
}
