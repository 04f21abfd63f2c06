//! The reference backend.
use super::*;
/// Reference.
#[derive(Debug)]
pub struct Reference;
/// The one instance.
pub static REFERENCE: Reference = Reference;
impl Backend for Reference {
    fn device(&self) -> Device { Device::Reference }
    fn upload(&self, _: &[u8], _: &Meta) -> Result<Value> { Err(Error::bug("stub", "stub")) }
    fn download(&self, _: &Value) -> Result<HostVec> { Err(Error::bug("stub", "stub")) }
    fn run_op(&self, _: &Op, _: &[Value]) -> Result<SmallVec<[Value; 1]>> { Err(Error::bug("stub", "stub")) }
    fn run_plan(&self, _: &Plan, _: &mut Workspace, _: &[Value]) -> Result<Vec<Value>> { Err(Error::bug("stub", "stub")) }
    fn synchronise(&self) -> Result<()> { Ok(()) }
}
