package postgres

import (
	"encoding/binary"
	"fmt"
)

// Int8s are the elements of an array of bigint in binary form, as Columns reads it; null and
// nothing are an empty one. Elements are not null.
func Int8s(raw []byte) ([]int64, error) {
	var list []int64
	err := elements(raw, func(count int) { list = make([]int64, 0, count) }, func(e []byte) error {
		if len(e) != 8 {
			return fmt.Errorf("an element of %d bytes is no bigint", len(e))
		}
		list = append(list, int64(binary.BigEndian.Uint64(e)))
		return nil
	})
	return list, err
}

// Texts are those of an array of text.
func Texts(raw []byte) ([]string, error) {
	var list []string
	err := elements(raw, func(count int) { list = make([]string, 0, count) }, func(e []byte) error {
		list = append(list, string(e))
		return nil
	})
	return list, err
}

// elements walks an array of one dimension: its header has the number of dimensions, whether
// there are nulls, the type, the length and the first index; each element its length before it.
func elements(raw []byte, make func(count int), each func([]byte) error) error {
	const header = 20
	if len(raw) < header {
		return nil
	}
	count := int(binary.BigEndian.Uint32(raw[12:]))
	make(count)
	rest := raw[header:]
	for range count {
		if len(rest) < 4 {
			return fmt.Errorf("an array of %d elements ends early", count)
		}
		size := int32(binary.BigEndian.Uint32(rest))
		if rest = rest[4:]; size < 0 || int(size) > len(rest) {
			return fmt.Errorf("an element of %d bytes in an array of which %d are left", size, len(rest))
		}
		if err := each(rest[:size]); err != nil {
			return err
		}
		rest = rest[size:]
	}
	return nil
}
