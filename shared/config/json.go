package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/supermax-hpo/supermax/shared/asha"
)

// ErrNewerSchema is returned for a study that a newer Supermax wrote.
var ErrNewerSchema = errors.New("written by a newer version of supermax")

// Key is where a study's objects hold what [Study.JSON] returns, for handlers and trainers
// to read. A bucket may hold many studies.
func Key(study string) string { return "studies/" + study + "/study.json" }

// JSON returns the study in the form that handlers and trainers read: defaults filled in,
// folders absolute, both spaces spelt out.
func (s *Study) JSON() ([]byte, error) {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write study as JSON: %w", err)
	}
	return append(data, '\n'), nil
}

// FromJSON reads what [Study.JSON] wrote and checks it again. An unknown field is an
// error; a newer schema version is [ErrNewerSchema].
func FromJSON(data []byte) (*Study, error) {
	var head struct {
		Version int `json:"schema_version"`
	}
	if err := json.Unmarshal(data, &head); err != nil { // also when something follows the object
		return nil, fmt.Errorf("read study: %w", err)
	}
	if head.Version > Version {
		return nil, fmt.Errorf("read study: schema_version %d: %w (this one reads %d)", head.Version, ErrNewerSchema, Version)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	s := &Study{}
	if err := d.Decode(s); err != nil {
		return nil, fmt.Errorf("read study: %w", err)
	}
	if s.Stages.A.Objective == "" { // written before there was a choice
		s.Stages.A.Objective = defaultObjective
	}
	for _, stage := range []*Search{&s.Stages.A, &s.Stages.B} {
		if stage.Scheduler.Kind == "" {
			stage.Scheduler.Kind = asha.KindASHA
		}
	}
	if err := s.validateFields(); err != nil {
		return nil, fmt.Errorf("read study: %w", err)
	}
	if err := s.validateSpaces(); err != nil {
		return nil, fmt.Errorf("read study: %w", err)
	}
	return s, nil
}
