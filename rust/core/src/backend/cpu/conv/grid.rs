//! Where a convolution meets its input, as shifts of dense runs of a copy with a border.
//!
//! Along each axis `q gap = u step + v shift - low`: as u runs, the inputs q that one v meets lie a constant distance apart.
//! The copy splits the input by its remainder under that distance, so that every v meets neighbours of the copy. Where the
//! input is spread by a gap, the u that share a remainder are a grid of their own, met by a part of the v alone.

use super::super::rows::along;
use smallvec::SmallVec;

/// Axes of a grid; leading ones of size 1 stand for those that a convolution has not.
pub(super) const AXES: usize = 3;

/// The numbers of one axis.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers {
    /// How many u there are, and the distance of their inputs.
    pub(super) along: (usize, usize),
    /// The same of v.
    pub(super) shifts: (usize, usize),
    /// Distance between input elements.
    pub(super) gap: usize,
    /// What is added before the input.
    pub(super) low: isize,
    /// Elements of the input, and their distance in memory.
    pub(super) input: (usize, isize),
}

impl Numbers {
    /// Grids along the axis: how often u goes on before the same remainder comes back.
    pub(super) fn period(&self) -> usize {
        self.gap / common_divisor(self.gap, self.along.1)
    }
}

pub(super) fn common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

/// What one v meets: which copy, and how far from its first element.
#[derive(Clone, Copy, Debug)]
struct Meeting {
    v: usize,
    part: usize,
    shift: usize,
}

/// One axis of a grid.
#[derive(Debug)]
struct Axis {
    /// Places of the grid, and those of u: `phase`, `phase + period`, ...
    count: usize,
    phase: usize,
    period: usize,
    size: usize,
    stride: isize,
    /// Distance of inputs that are neighbours of a copy.
    step: usize,
    /// Where the copies begin, and by how much shifts differ.
    first: isize,
    spread: usize,
    /// Remainders that are met.
    parts: SmallVec<[usize; 4]>,
    meetings: SmallVec<[Meeting; 8]>,
}

impl Axis {
    fn new(n: &Numbers, phase: usize) -> Self {
        let period = n.period();
        let step = n.along.1 * period / n.gap;
        let mut axis = Self {
            count: n.along.0.saturating_sub(phase).div_ceil(period),
            phase,
            period,
            size: n.input.0,
            stride: n.input.1,
            step,
            first: 0,
            spread: 0,
            parts: SmallVec::new(),
            meetings: SmallVec::new(),
        };
        let base = |v: usize| {
            let place = (phase * n.along.1 + v * n.shifts.1) as isize - n.low;
            let gap = n.gap as isize;
            (place.rem_euclid(gap) == 0).then(|| place / gap)
        };
        let floors = |base: isize| base.div_euclid(step as isize);
        let met = (0..n.shifts.0).filter_map(|v| Some((v, base(v)?)));
        let (Some(first), Some(last)) =
            (met.clone().map(|(_, b)| floors(b)).min(), met.clone().map(|(_, b)| floors(b)).max())
        else {
            return axis;
        };
        (axis.first, axis.spread) = (first, (last - first) as usize);
        for (v, base) in met {
            let rest = base.rem_euclid(step as isize) as usize;
            let part = axis.parts.iter().position(|&known| known == rest).unwrap_or_else(|| {
                axis.parts.push(rest);
                axis.parts.len() - 1
            });
            axis.meetings.push(Meeting { v, part, shift: (floors(base) - first) as usize });
        }
        axis
    }

    /// Which elements of a copy of this length exist, from place `start` of the grid on, and the input of the first.
    fn inside(&self, start: usize, length: usize, rest: usize) -> (usize, usize, usize) {
        let (step, size) = (self.step as isize, self.size as isize);
        let base = (start as isize + self.first) * step + rest as isize;
        let first = if base < 0 { (-base + step - 1) / step } else { 0 };
        let end = ((size - base + step - 1).max(0) / step).min(length as isize);
        if end <= first {
            return (length, length, 0);
        }
        (first as usize, end as usize, (base + first * step) as usize)
    }
}

/// Places of a grid, `start` to `start + count` along each axis.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Band {
    pub(super) start: [usize; AXES],
    pub(super) count: [usize; AXES],
}

/// How the copies of one channel lie: one after the other, each by rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Image {
    lengths: [usize; AXES],
    /// Distance of rows: the border after one row is that before the next.
    pub(super) row: usize,
    copy: usize,
    /// Elements of a channel.
    pub(super) channel: usize,
}

impl Image {
    /// Number of a place of the band.
    pub(super) fn place(&self, t: [usize; AXES]) -> usize {
        (t[0] * self.lengths[1] + t[1]) * self.row + t[2]
    }

    /// The same with rows that begin at multiples of `to`, where that makes them little longer, and channels that do.
    pub(super) fn rounded(self, to: usize) -> Self {
        let (rows, copies) = (self.lengths[0] * self.lengths[1], self.channel / self.copy.max(1));
        let round = self.row.next_multiple_of(to);
        let row = if round * 8 <= self.row * 9 { round } else { self.row };
        let copy = (self.copy + rows * (row - self.row)).next_multiple_of(to);
        Self { row, copy, channel: copy * copies, ..self }
    }

    /// Numbers up to the last place.
    pub(super) fn places(&self, band: &Band) -> usize {
        self.place(band.count.map(|count| count.saturating_sub(1))) + 1
    }
}

/// The u that share a remainder, and what they meet.
#[derive(Debug)]
pub(super) struct Grid {
    axes: [Axis; AXES],
}

impl Grid {
    pub(super) fn new(numbers: &[Numbers; AXES], phase: [usize; AXES]) -> Self {
        Self { axes: std::array::from_fn(|axis| Axis::new(&numbers[axis], phase[axis])) }
    }

    /// Every grid of these axes.
    pub(super) fn all(numbers: &[Numbers; AXES]) -> impl Iterator<Item = Self> + '_ {
        let periods = numbers.map(|n| n.period());
        (0..periods.iter().product()).map(move |i: usize| {
            let phase = [i / (periods[1] * periods[2]), i / periods[2] % periods[1], i % periods[2]];
            Self::new(numbers, phase)
        })
    }

    /// Places of the grid.
    pub(super) fn whole(&self) -> Band {
        Band { start: [0; AXES], count: [0, 1, 2].map(|axis| self.axes[axis].count) }
    }

    /// How many v meet anything.
    pub(super) fn meetings(&self) -> usize {
        self.axes.iter().map(|axis| axis.meetings.len()).product()
    }

    /// Bands of at most so many places along the first axis that has any.
    pub(super) fn bands(&self, most: usize) -> impl Iterator<Item = Band> {
        let whole = self.whole();
        let axis = self.cut();
        let count = whole.count[axis];
        let parts = count.div_ceil(most.max(1)).max(1);
        (0..parts).map(move |part| {
            let (first, end) = (part * count / parts, (part + 1) * count / parts);
            let mut band = whole;
            (band.start[axis], band.count[axis]) = (first, end - first);
            band
        })
    }

    /// The axis along which bands are cut.
    pub(super) fn cut(&self) -> usize {
        (0..AXES).find(|&axis| self.axes[axis].count > 1).unwrap_or(AXES - 1)
    }

    /// How the copies for a band lie.
    pub(super) fn image(&self, band: &Band) -> Image {
        let lengths: [usize; AXES] = std::array::from_fn(|axis| band.count[axis] + self.axes[axis].spread);
        let last = &self.axes[AXES - 1];
        let border = |&rest: &usize| {
            let (first, end, _) = last.inside(band.start[AXES - 1], lengths[AXES - 1], rest);
            first.min(lengths[AXES - 1] - end)
        };
        // A row holds all places of the band, so that no two rows share one.
        let shared = last.parts.iter().map(border).min().unwrap_or(0).min(last.spread);
        let row = lengths[AXES - 1] - shared;
        let copy = lengths[0] * lengths[1] * row + shared;
        Image { lengths, row, copy, channel: copy * self.axes.iter().map(|axis| axis.parts.len()).product::<usize>() }
    }

    /// Elements of a channel for each place along the axis that is cut, about.
    pub(super) fn thickness(&self) -> usize {
        let mut thin = self.whole();
        thin.count[self.cut()] = 1;
        let spread = self.axes[self.cut()].spread;
        (self.image(&thin).channel / (spread + 1)).max(1)
    }

    /// Visit the rows that exist: their place in the copies of a channel, their place in the input, their length.
    #[inline(always)]
    pub(super) fn rows(&self, image: &Image, band: &Band, mut visit: impl FnMut(usize, isize, usize)) {
        let [a, b, c] = &self.axes;
        let input = |axis: &Axis, start: usize, j: usize, rest: usize| {
            let q = (start as isize + axis.first + j as isize) * axis.step as isize + rest as isize;
            (q >= 0 && q < axis.size as isize).then_some(q * axis.stride)
        };
        for (part_a, &rest_a) in a.parts.iter().enumerate() {
            for (part_b, &rest_b) in b.parts.iter().enumerate() {
                for (part_c, &rest_c) in c.parts.iter().enumerate() {
                    let copy = ((part_a * b.parts.len() + part_b) * c.parts.len() + part_c) * image.copy;
                    let (first, end, q) = c.inside(band.start[2], image.lengths[2], rest_c);
                    if first == end {
                        continue;
                    }
                    for i in 0..image.lengths[0] {
                        let Some(from_a) = input(a, band.start[0], i, rest_a) else { continue };
                        for j in 0..image.lengths[1] {
                            let Some(from_b) = input(b, band.start[1], j, rest_b) else { continue };
                            let to = copy + image.place([i, j, first]);
                            visit(to, from_a + from_b + q as isize * c.stride, end - first);
                        }
                    }
                }
            }
        }
    }

    /// Distance in the input of neighbours of a row.
    pub(super) fn row_step(&self) -> isize {
        self.axes[AXES - 1].step as isize * self.axes[AXES - 1].stride
    }

    /// Visit every v that meets anything, in order: its number, and how far its run lies from a channel's first element.
    pub(super) fn shifts(&self, image: &Image, numbers: &[Numbers; AXES], mut visit: impl FnMut(usize, usize)) {
        let [a, b, c] = &self.axes;
        for x in &a.meetings {
            for y in &b.meetings {
                for z in &c.meetings {
                    let copy = (x.part * b.parts.len() + y.part) * c.parts.len() + z.part;
                    let number = (x.v * numbers[1].shifts.0 + y.v) * numbers[2].shifts.0 + z.v;
                    visit(number, copy * image.copy + image.place([x.shift, y.shift, z.shift]));
                }
            }
        }
    }

    /// The u of a place along one axis.
    fn u(&self, band: &Band, axis: usize, t: usize) -> usize {
        self.axes[axis].phase + (band.start[axis] + t) * self.axes[axis].period
    }

    /// A plane of a band: the number of its first place, and where its first u is in memory.
    pub(super) fn plane(&self, image: &Image, band: &Band, steps: [isize; AXES], number: usize) -> (usize, isize) {
        let place = [self.u(band, 0, number), self.u(band, 1, 0), self.u(band, 2, 0)];
        let at = (0..AXES).fold(0, |at, axis| at + place[axis] as isize * steps[axis]);
        (image.place([number, 0, 0]), at)
    }

    /// Visit the runs of a band along the last axis: the number of their first place, and where their first u is in memory.
    #[inline(always)]
    pub(super) fn runs(&self, image: &Image, band: &Band, steps: [isize; AXES], mut visit: impl FnMut(usize, isize)) {
        for i in 0..band.count[0] {
            let (place, at) = self.plane(image, band, steps, i);
            for j in 0..band.count[1] {
                visit(place + j * image.row, at + j as isize * self.run_step(steps));
            }
        }
    }

    /// Distance in memory of the first u of two neighbouring runs of a plane.
    pub(super) fn run_step(&self, steps: [isize; AXES]) -> isize {
        self.axes[AXES - 2].period as isize * steps[AXES - 2]
    }

    /// Distance of the u of a run.
    pub(super) fn period(&self) -> usize {
        self.axes[AXES - 1].period
    }
}

/// Place in a slice of what lies so far from an index.
pub(super) fn moved(first: usize, delta: isize) -> usize {
    along(first, delta, 1)
}
