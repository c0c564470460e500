package study

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// fields are JSON members that this version does not know. Snapshots keep them, so that a
// newer version's additions survive a command of this one.
type fields map[string]json.RawMessage

// readKeeping decodes data into v, a pointer to a struct, and returns the members that the
// struct has no field for.
func readKeeping(data []byte, v any) (fields, error) {
	strict := json.NewDecoder(bytes.NewReader(data))
	strict.DisallowUnknownFields()
	if strict.Decode(v) == nil { // as nearly always
		return nil, nil
	}
	reflect.ValueOf(v).Elem().SetZero()
	if err := json.Unmarshal(data, v); err != nil {
		return nil, err
	}
	var all fields
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, err
	}
	t := reflect.TypeOf(v).Elem()
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		delete(all, name)
	}
	if len(all) == 0 {
		return nil, nil
	}
	return all, nil
}

// writeKeeping encodes v, a struct, with the unknown members after its own.
func writeKeeping(v any, unknown fields) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil || len(unknown) == 0 {
		return data, err
	}
	more, err := json.Marshal(unknown)
	if err != nil {
		return nil, fmt.Errorf("write unknown fields: %w", err)
	}
	if len(data) == len("{}") {
		return more, nil
	}
	return append(append(data[:len(data)-1], ','), more[1:]...), nil
}

// Each stored type reads and writes itself through a plain copy of its type, which has
// the fields but not these methods.

// UnmarshalJSON implements [json.Unmarshaler].
func (l *Lease) UnmarshalJSON(data []byte) (err error) {
	type plain Lease
	l.unknown, err = readKeeping(data, (*plain)(l))
	return err
}

// MarshalJSON implements [json.Marshaler].
func (l Lease) MarshalJSON() ([]byte, error) {
	type plain Lease
	return writeKeeping(plain(l), l.unknown)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (e *AttemptEnd) UnmarshalJSON(data []byte) (err error) {
	type plain AttemptEnd
	e.unknown, err = readKeeping(data, (*plain)(e))
	return err
}

// MarshalJSON implements [json.Marshaler].
func (e AttemptEnd) MarshalJSON() ([]byte, error) {
	type plain AttemptEnd
	return writeKeeping(plain(e), e.unknown)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (s *stageState) UnmarshalJSON(data []byte) (err error) {
	type plain stageState
	s.unknown, err = readKeeping(data, (*plain)(s))
	return err
}

// MarshalJSON implements [json.Marshaler].
func (s stageState) MarshalJSON() ([]byte, error) {
	type plain stageState
	return writeKeeping(plain(s), s.unknown)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (sl *slot) UnmarshalJSON(data []byte) (err error) {
	type plain slot
	sl.unknown, err = readKeeping(data, (*plain)(sl))
	return err
}

// MarshalJSON implements [json.Marshaler].
func (sl slot) MarshalJSON() ([]byte, error) {
	type plain slot
	return writeKeeping(plain(sl), sl.unknown)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (d *detail) UnmarshalJSON(data []byte) (err error) {
	type plain detail
	d.unknown, err = readKeeping(data, (*plain)(d))
	return err
}

// MarshalJSON implements [json.Marshaler].
func (d detail) MarshalJSON() ([]byte, error) {
	type plain detail
	return writeKeeping(plain(d), d.unknown)
}
