package config

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/supermax-hpo/supermax/configs"
	"github.com/supermax-hpo/supermax/shared/internal/yamltree"
	"github.com/supermax-hpo/supermax/shared/sampler"
	"github.com/supermax-hpo/supermax/shared/space"
)

// Error is what is wrong with a study file: file, line, key and problem.
type Error = yamltree.Error

// Load reads the study file at path. Folders in it are relative to the file. What is wrong
// with its content is an [*Error].
func Load(path string) (*Study, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read study file: %w", err)
	}
	return Parse(path, data)
}

// Parse is [Load] for a file whose content is at hand. It touches no file: whether the
// folders exist is for those to find out who read them.
func Parse(path string, data []byte) (*Study, error) {
	top, err := yamltree.Parse(path, data)
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("find the study file's folder: %w", err)
	}
	s := defaults()
	if err := s.read(top, dir); err != nil {
		return nil, err
	}
	s.setDependent()
	if err := s.validateFields(); err != nil {
		return nil, locate(top, err)
	}
	if err := s.narrow(); err != nil {
		return nil, locate(top, err)
	}
	return s, nil
}

// narrow sets Whole and Space from the embedded space, the models and the constraints.
func (s *Study) narrow() error {
	whole, err := space.Parse("configs/space.yaml", configs.Space)
	if err != nil {
		return err
	}
	var names []space.Value
	for _, name := range slices.Sorted(maps.Keys(s.Models)) {
		names = append(names, space.String(name))
	}
	if s.Whole, err = whole.WithChoices("model.name", names...); err != nil {
		return err
	}
	if s.Space, err = s.narrowed(); err != nil {
		return err
	}
	return s.checkGrids()
}

// checkGrids refuses a stage that is to go through the grid of a space that has none.
func (s *Study) checkGrids() error {
	for _, stage := range []struct{ name, sampler string }{{"a", s.Stages.A.Sampler}, {"b", s.Stages.B.Sampler}} {
		if stage.sampler != sampler.NameGrid {
			continue
		}
		if _, err := sampler.GridSize(s.Space); err != nil {
			return &fault{path: []string{"stages", stage.name, "sampler"}, problem: "is not allowed over this space: " + err.Error()}
		}
	}
	return nil
}

func (s *Study) narrowed() (*space.Space, error) {
	n, err := s.Whole.Narrow(s.Constraints)
	var e *space.Error
	if errors.As(err, &e) {
		return nil, &fault{path: append([]string{"constraints", e.Param}, e.Path()...), problem: e.Problem}
	}
	return n, err
}

// locate gives a [*fault] the line of the deepest part of its path that the file has.
func locate(top yamltree.Node, err error) error {
	var f *fault
	if !errors.As(err, &f) {
		return err
	}
	return &Error{File: top.File(), Line: top.Find(f.path...).Line(), Key: f.key(), Problem: f.problem}
}
