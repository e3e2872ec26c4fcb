from glob import glob

from setuptools import setup

setup(
    name="fmrl_description",
    version="0.1.0",
    description="Descriptions (URDF) of the robots, written from their installed models",
    license="Apache-2.0",
    packages=["fmrl_description"],
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/fmrl_description"]),
        ("share/fmrl_description", ["package.xml"]),
        ("share/fmrl_description/launch", glob("launch/*.xml")),
        ("share/fmrl_description/rviz", glob("rviz/*.rviz")),
        # Where ros2 run and ros2 launch look for executables; pip would put scripts into bin/.
        ("lib/fmrl_description", ["stubs/robot_description"]),
    ],
    entry_points={
        "console_scripts": ["robot_description = fmrl_description.robot_description:main"]
    },
    zip_safe=True,
)
