//! Which of several kernels for the same op runs: as a table says that `tune` measured, else by the rule that is shipped.
//!
//! The same table gives the same bits. Kernels of one op differ in the order in which they add.

use super::disk::{Identity, Sealed, hash};
use crate::error::{Error, Result};
use serde_json::{Value, json};
use wgpu::{AdapterInfo, DeviceType};

/// The variable that forces one way for all products.
const VARIABLE: &str = "TRAINSMITH_GPU_PRODUCTS";

/// Sides below which a tile is mostly empty, in the rule that is shipped.
const NARROW: usize = 24;
/// Inner elements below which a tile is mostly empty.
const SHALLOW: usize = 16;
/// Sides from which on a program on the CPU gains by the largest tiles.
const WIDE: usize = 96;
/// Tiles from which on a card with many units is busy.
const MANY: usize = 256;

/// A size of tiles of products.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Tile {
    /// 32 x 32.
    Small,
    /// 64 x 64.
    Medium,
    /// 128 x 128.
    Large,
}

/// How a product is computed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    /// A thread for each element.
    Elements,
    /// A workgroup for each tile.
    Tiles(Tile),
}

impl Way {
    /// All ways.
    pub(super) const ALL: [Self; 4] =
        [Self::Elements, Self::Tiles(Tile::Small), Self::Tiles(Tile::Medium), Self::Tiles(Tile::Large)];

    /// Its name in tables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Elements => "elements",
            Self::Tiles(Tile::Small) => "small",
            Self::Tiles(Tile::Medium) => "medium",
            Self::Tiles(Tile::Large) => "large",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.name() == name)
    }
}

/// Sizes of a product: rows, columns, inner elements, products of the batch.
pub(super) type Sizes = [usize; 4];

/// A table, or the rule in its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Choices {
    /// What was measured: the best way for a product of some sizes. None: the rule decides.
    products: Vec<(Sizes, Way)>,
    /// Threads of a workgroup that folds a line.
    pub(super) fold_threads: u32,
    /// Threads of a workgroup that makes a row of a fused body.
    pub(super) row_threads: u32,
    forced: Option<Way>,
    /// The card is a program: threads cost, and there are few units.
    software: bool,
    name: String,
}

/// Threads that a table may name.
pub(super) const THREADS: [u32; 3] = [64, 128, 256];

impl Choices {
    /// Those of an adapter: its table in the user's cache directory, or the rule.
    pub(super) fn of(info: &AdapterInfo) -> Result<Self> {
        let software = info.device_type == DeviceType::Cpu;
        let found = file(info).and_then(|file| file.read()).and_then(|content| Self::parse(&content, software));
        let mut choices = found.unwrap_or_else(|| Self::shipped(software));
        if let Some(name) = std::env::var(VARIABLE).ok().filter(|name| !name.is_empty()) {
            let rule = "elements, small, medium or large";
            let way = Way::named(&name).ok_or_else(|| Error::value(VARIABLE, rule, format!("{name:?}")))?;
            choices = Self { name: format!("{}, products by {}", choices.name, way.name()), ..choices.with(way) };
        }
        Ok(choices)
    }

    /// The rule.
    pub(super) fn shipped(software: bool) -> Self {
        let (products, forced, name) = (Vec::new(), None, "shipped".to_owned());
        Self { products, fold_threads: 256, row_threads: 64, forced, software, name }
    }

    /// A table of what was measured.
    pub(super) fn measured(products: Vec<(Sizes, Way)>, fold_threads: u32, row_threads: u32) -> Self {
        let choices = Self { products, fold_threads, row_threads, ..Self::shipped(false) };
        let name = format!("{:016x}", hash(&choices.content()));
        Self { name, ..choices }
    }

    /// The same with one way for all products.
    pub(super) fn with(&self, way: Way) -> Self {
        Self { forced: Some(way), ..self.clone() }
    }

    /// What tells it from other tables: a hash, or `shipped`.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// How a product of these sizes is computed.
    pub(super) fn product(&self, sizes: Sizes) -> Way {
        let [rows, columns, deep, batch] = sizes;
        if let Some(way) = self.forced {
            return way;
        }
        if self.products.is_empty() {
            if rows < NARROW || columns < NARROW || deep < SHALLOW {
                return Way::Elements;
            }
            let tiles = |side: usize| rows.div_ceil(side) * columns.div_ceil(side) * batch;
            return Way::Tiles(match () {
                () if self.software && rows.min(columns) >= WIDE => Tile::Large,
                () if self.software => Tile::Medium,
                () if rows >= 128 && columns >= 128 && tiles(128) >= MANY => Tile::Large,
                () if tiles(64) >= MANY => Tile::Medium,
                () => Tile::Small,
            });
        }
        let far = |(other, _): &&(Sizes, Way)| -> f64 {
            let apart = |(a, b): (&usize, &usize)| ((*a).max(1) as f64 / (*b).max(1) as f64).log2().abs();
            sizes.iter().zip(other).map(apart).sum()
        };
        let nearest = self.products.iter().min_by(|a, b| far(a).total_cmp(&far(b)));
        nearest.map_or(Way::Elements, |(_, way)| *way)
    }

    /// As it is written.
    pub(super) fn content(&self) -> Vec<u8> {
        let product = |(sizes, way): &(Sizes, Way)| json!({"sizes": sizes, "way": way.name()});
        let products: Vec<Value> = self.products.iter().map(product).collect();
        let (fold, row) = (self.fold_threads, self.row_threads);
        json!({"products": products, "fold_threads": fold, "row_threads": row}).to_string().into_bytes()
    }

    fn parse(content: &[u8], software: bool) -> Option<Self> {
        let table: Value = serde_json::from_slice(content).ok()?;
        let size = |value: &Value| value.as_u64().and_then(|size| usize::try_from(size).ok());
        let product = |entry: &Value| -> Option<(Sizes, Way)> {
            let sizes: Vec<usize> = entry["sizes"].as_array()?.iter().map(size).collect::<Option<_>>()?;
            Some((sizes.try_into().ok()?, Way::named(entry["way"].as_str()?)?))
        };
        let products = table["products"].as_array()?.iter().map(product).collect::<Option<Vec<_>>>()?;
        let threads = |name: &str| THREADS.into_iter().find(|&known| table[name] == known);
        let (fold, row) = (threads("fold_threads")?, threads("row_threads")?);
        (!products.is_empty()).then(|| Self { software, ..Self::measured(products, fold, row) })
    }
}

/// Where an adapter's table lies.
pub(super) fn file(info: &AdapterInfo) -> Option<Sealed> {
    Sealed::new("tuning", &Identity::of(info))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_comes_back_as_it_was_written() {
        let products = vec![([64, 64, 64, 1], Way::Elements), ([1024, 1024, 1024, 1], Way::Tiles(Tile::Large))];
        let table = Choices::measured(products, 128, 64);
        assert_eq!(Choices::parse(&table.content(), false).unwrap(), table);
        let other = Choices::measured(vec![([64, 64, 64, 1], Way::Elements)], 128, 64);
        assert_ne!(other.name(), table.name());
        for broken in ["", "{}", "[]", "{\"products\": [], \"fold_threads\": 64, \"row_threads\": 64}"] {
            assert_eq!(Choices::parse(broken.as_bytes(), false), None, "{broken}");
        }
        let text = String::from_utf8(table.content()).unwrap();
        for (from, to) in [("large", "huge"), ("128", "96"), ("64,1]", "64]")] {
            assert_eq!(Choices::parse(text.replace(from, to).as_bytes(), false), None, "{from} as {to}");
        }
    }

    #[test]
    fn the_nearest_sizes_decide() {
        let products = vec![([64, 64, 64, 1], Way::Elements), ([1024, 1024, 1024, 1], Way::Tiles(Tile::Large))];
        let table = Choices::measured(products, 256, 64);
        assert_eq!(table.product([100, 100, 100, 1]), Way::Elements);
        assert_eq!(table.product([900, 300, 700, 1]), Way::Tiles(Tile::Large));
        assert_eq!(table.product([0, 0, 0, 0]), Way::Elements);
        assert_eq!(table.with(Way::Tiles(Tile::Small)).product([1, 1, 1, 1]), Way::Tiles(Tile::Small));
    }

    #[test]
    fn the_rule_fills_cards_and_tiles() {
        let rule = Choices::shipped(false);
        assert_eq!(rule.product([8, 4096, 4096, 1]), Way::Elements);
        assert_eq!(rule.product([4096, 4096, 4096, 1]), Way::Tiles(Tile::Large));
        assert_eq!(rule.product([1024, 1024, 64, 1]), Way::Tiles(Tile::Medium));
        assert_eq!(rule.product([64, 128, 784, 1]), Way::Tiles(Tile::Small));
        assert_eq!(Choices::shipped(true).product([64, 128, 784, 1]), Way::Tiles(Tile::Medium));
        assert_eq!(Choices::shipped(true).product([128, 128, 784, 1]), Way::Tiles(Tile::Large));
    }
}
